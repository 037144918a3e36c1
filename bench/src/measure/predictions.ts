import { bytesOf, isTypedArray, type Tensors } from "@pare/runtime/format";
import { isJson, type KeptPredictions } from "./earlier-results.js";

/** So many samples tell how long one takes. */
const enough = 16;
/** Outputs held in all; beyond, the float model is run again beside each candidate. */
const heldBytes = 256 * 2 ** 20;

/** What one model said to samples, by index: as the scorer keeps it and, of the float model, the outputs themselves. */
export class Predictions {
  /** What a metric came to over resamples of them. */
  readonly draws = new Map<string, Promise<readonly number[]>>();
  readonly #kept: Map<number, unknown>;
  readonly #outputs = new Map<number, Tensors>();
  readonly #room: Room;
  #sampleMs: number | null;
  #turn: Promise<unknown> = Promise.resolve();

  /** @param earlier what an earlier run kept */
  constructor(room: Room, earlier?: KeptPredictions) {
    this.#room = room;
    this.#kept = new Map(earlier?.kept.filter(([index]) => Number.isInteger(index)));
    this.#sampleMs = earlier?.sampleMs ?? null;
  }

  /** One after the other: who comes second finds what the first was told. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
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

  /** The last ones count: the first are sent to the engine, in small batches. */
  took(ms: number, samples: number): void {
    if (samples >= enough || this.#sampleMs === null) this.#sampleMs = ms / samples;
  }

  get sampleMs(): number | null {
    return this.#sampleMs;
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
