import { bytesOf, isTypedArray, type TargetName, type Tensors } from "@pare/runtime/format";

/** Outputs held in all; beyond, the float model is run again beside each candidate. */
const heldBytes = 256 * 2 ** 20;

/** What the float model said to each sample on each target, so that it is asked once. */
export class FloatMemory {
  readonly #models = new Map<string, Remembered>();
  #bytes = 0;

  of(hash: string, target: TargetName): Remembered {
    const key = `${hash} ${target}`;
    let found = this.#models.get(key);
    if (!found) this.#models.set(key, (found = new Remembered((bytes) => this.#reserve(bytes))));
    return found;
  }

  #reserve(bytes: number): boolean {
    if (this.#bytes + bytes > heldBytes) return false;
    this.#bytes += bytes;
    return true;
  }
}

class Remembered {
  readonly #kept = new Map<number, unknown>();
  readonly #outputs = new Map<number, Tensors>();
  readonly #reserve: (bytes: number) => boolean;

  constructor(reserve: (bytes: number) => boolean) {
    this.#reserve = reserve;
  }

  has(index: number): boolean {
    return this.#kept.has(index);
  }

  set(index: number, kept: unknown, outputs: Tensors | null): void {
    this.#kept.set(index, kept);
    if (outputs && this.#reserve(bytesIn(outputs))) this.#outputs.set(index, outputs);
  }

  kept(index: number): unknown {
    return this.#kept.get(index);
  }

  outputs(index: number): Tensors | null {
    return this.#outputs.get(index) ?? null;
  }
}

function bytesIn(tensors: Tensors): number {
  return Object.values(tensors).reduce(
    (sum, { data }) => sum + (isTypedArray(data) ? bytesOf(data).byteLength : 16 * data.length),
    0,
  );
}
