import { bytesOf, isTypedArray, type Tensors } from "@pare/runtime/format";
import { isJson, type KeptPredictions } from "./earlier-results.js";

/** Outputs held in all; beyond, the float model is run again beside each candidate. */
const heldBytes = 256 * 2 ** 20;

/** What one model said to samples, by index: as the scorer keeps it and, of the float model, the outputs themselves. */
export class Predictions {
  readonly #kept: Map<number, unknown>;
  readonly #outputs = new Map<number, Tensors>();
  readonly #room: Room;
  #timed: number;
  #spentMs: number;

  /** @param earlier what an earlier run kept */
  constructor(room: Room, earlier?: KeptPredictions) {
    this.#room = room;
    this.#kept = new Map(earlier?.kept.filter(([index]) => Number.isInteger(index)));
    this.#timed = this.#kept.size;
    this.#spentMs = this.#timed * (earlier?.sampleMs ?? 0);
  }

  has(index: number): boolean {
    return this.#kept.has(index);
  }

  set(index: number, kept: unknown, outputs: Tensors | null = null): void {
    this.#kept.set(index, kept);
    if (outputs !== null && this.#room.take(bytesIn(outputs))) this.#outputs.set(index, outputs);
  }

  kept(index: number): unknown {
    return this.#kept.get(index);
  }

  outputs(index: number): Tensors | null {
    return this.#outputs.get(index) ?? null;
  }

  took(ms: number, samples: number): void {
    this.#spentMs += ms;
    this.#timed += samples;
  }

  get sampleMs(): number | null {
    return this.#timed === 0 ? null : this.#spentMs / this.#timed;
  }

  /** To be kept for a later run; undefined where JSON cannot hold it. */
  get result(): KeptPredictions | undefined {
    const kept = [...this.#kept];
    return kept.every(([, each]) => isJson(each))
      ? { sampleMs: this.sampleMs ?? 0, kept }
      : undefined;
  }
}

/** Memory that all predictions share. */
export class Room {
  #taken = 0;

  take(bytes: number): boolean {
    if (this.#taken + bytes > heldBytes) return false;
    this.#taken += bytes;
    return true;
  }
}

function bytesIn(tensors: Tensors): number {
  return Object.values(tensors).reduce(
    (sum, { data }) => sum + (isTypedArray(data) ? bytesOf(data).byteLength : 16 * data.length),
    0,
  );
}
