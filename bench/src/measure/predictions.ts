import { bytesOf, isTypedArray, type Tensors } from "@pare/runtime/format";
import { isJson, type KeptPredictions } from "./earlier-results.js";

/** What takes so long tells how long a sample takes: samples differ in size, and the first are not typical. */
const tellingMs = 800;
const warmingMs = 200;
/** Outputs held in all; beyond, the float model is run again beside each candidate. */
const heldBytes = 256 * 2 ** 20;

/** What one model said to samples, by index: as the scorer keeps it and, of the float model, the outputs themselves. */
export class Predictions {
  /** What a metric came to over resamples of them. */
  readonly draws = new Map<string, Promise<readonly number[]>>();
  readonly #kept: Map<number, unknown>;
  readonly #outputs = new Map<number, Tensors>();
  readonly #room: Room;
  readonly #earlierMs: number | null;
  #tookMs = 0;
  /** Of that, what tells. */
  #counted = { ms: 0, samples: 0 };
  #turn: Promise<unknown> = Promise.resolve();

  /** @param earlier what an earlier run kept */
  constructor(room: Room, earlier?: KeptPredictions) {
    this.#room = room;
    this.#kept = new Map(earlier?.kept.filter(([index]) => Number.isInteger(index)));
    this.#earlierMs = earlier?.sampleMs ?? null;
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

  /** The first that tell count: those after them may have been run beside another engine. A run that goes on is planned alike. */
  took(ms: number, samples: number): void {
    if (this.#tookMs >= tellingMs) return;
    const before = this.#tookMs < warmingMs ? { ms: 0, samples: 0 } : this.#counted;
    this.#counted = { ms: before.ms + ms, samples: before.samples + samples };
    this.#tookMs += ms;
  }

  get sampleMs(): number | null {
    const { ms, samples } = this.#counted;
    return this.#earlierMs ?? (samples > 0 ? ms / samples : null);
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
