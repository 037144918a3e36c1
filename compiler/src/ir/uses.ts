import type { BodyId, NodeId } from "./ids.js";
import { OrderedMap } from "./ordered-map.js";

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

export class UseList implements Uses {
  readonly #uses = new OrderedMap<string, Use>();
  #outputs = 0;

  get length(): number {
    return this.#uses.size;
  }

  get isOutput(): boolean {
    return this.#outputs > 0;
  }

  get first(): Use | undefined {
    for (const use of this) return use;
    return undefined;
  }

  [Symbol.iterator](): IterableIterator<Use> {
    return this.#uses[Symbol.iterator]();
  }

  some(test: (use: Use) => boolean): boolean {
    for (const use of this) if (test(use)) return true;
    return false;
  }

  every(test: (use: Use) => boolean): boolean {
    return !this.some((use) => !test(use));
  }

  add(use: Use): void {
    this.#uses.set(keyOf(use), use);
    if (use.kind === "output") this.#outputs += 1;
  }

  /** Takes a reader out; what it gives puts the reader back in its place. Undefined where there is no such reader. */
  remove(use: Use): (() => void) | undefined {
    const putBack = this.#uses.delete(keyOf(use));
    if (putBack === undefined || use.kind === "node") return putBack;
    this.#outputs -= 1;
    return () => {
      putBack();
      this.#outputs += 1;
    };
  }

  copy(): UseList {
    const copy = new UseList();
    for (const use of this) copy.add(use);
    return copy;
  }
}

function keyOf(use: Use): string {
  return use.kind === "node" ? `${use.node}.${use.index}` : `body ${use.body}.${use.index}`;
}
