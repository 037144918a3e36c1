import { bytesOf, isTypedArray, type Tensors } from "@pare/runtime/format";

/** Outputs held in all; beyond, the float model is run again beside each candidate. */
const heldBytes = 256 * 2 ** 20;

/** What one model said to samples, by index: as the scorer keeps it and, of the float model, the outputs themselves. */
export class Predictions {
  readonly #kept = new Map<number, unknown>();
  readonly #outputs = new Map<number, Tensors>();
  readonly #room: Room;

  constructor(room: Room) {
    this.#room = room;
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
