import type { BodyId, NodeId } from "./ids.js";

/** Who reads a value: a node's input, or a body's output. */
export type Use =
  | { readonly kind: "node"; readonly node: NodeId; readonly index: number }
  | { readonly kind: "output"; readonly body: BodyId; readonly index: number };

/** The readers of a value, in the order in which they came. */
export interface Uses extends Iterable<Use> {
  readonly length: number;
  /** Whether one of them is an output of a body. */
  readonly isOutput: boolean;
  readonly first: Use | undefined;
  some(test: (use: Use) => boolean): boolean;
  every(test: (use: Use) => boolean): boolean;
}

/** Readers that come and go, each in constant time: a constant may have as many as a graph has nodes. */
export class UseList implements Uses {
  readonly #entries = new Map<string, { readonly use: Use; readonly place: number }>();
  #outputs = 0;
  #next = 0;

  get length(): number {
    return this.#entries.size;
  }

  get isOutput(): boolean {
    return this.#outputs > 0;
  }

  get first(): Use | undefined {
    for (const use of this) return use;
    return undefined;
  }

  *[Symbol.iterator](): IterableIterator<Use> {
    for (const { use } of this.#entries.values()) yield use;
  }

  some(test: (use: Use) => boolean): boolean {
    for (const use of this) if (test(use)) return true;
    return false;
  }

  every(test: (use: Use) => boolean): boolean {
    return !this.some((use) => !test(use));
  }

  add(use: Use): void {
    this.#set(use, this.#next);
    this.#next += 1;
  }

  /** Takes a reader out; what it gives puts the reader back in its place. Undefined where there is no such reader. */
  remove(use: Use): (() => void) | undefined {
    const entry = this.#entries.get(keyOf(use));
    if (entry === undefined) return undefined;
    this.#entries.delete(keyOf(use));
    if (use.kind === "output") this.#outputs -= 1;
    return () => {
      this.#set(entry.use, entry.place);
      const sorted = [...this.#entries].sort(([, a], [, b]) => a.place - b.place);
      this.#entries.clear();
      for (const [key, kept] of sorted) this.#entries.set(key, kept);
    };
  }

  copy(): UseList {
    const copy = new UseList();
    for (const use of this) copy.add(use);
    return copy;
  }

  #set(use: Use, place: number): void {
    this.#entries.set(keyOf(use), { use, place });
    if (use.kind === "output") this.#outputs += 1;
  }
}

function keyOf(use: Use): string {
  return use.kind === "node" ? `${use.node}.${use.index}` : `body ${use.body}.${use.index}`;
}
