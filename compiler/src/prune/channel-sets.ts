/** Why channels must stay: what of the model, and at which node. */
export interface Fixed {
  readonly why: string;
  /** For messages; empty where it is no node's. */
  readonly node: string;
}

/**
 * Sets of places that are cut together or not at all: a union-find over numbered places. A set may be fixed, for the
 * first reason that was given; it may be of matrices that are multiplied each by itself.
 */
export class ChannelSets {
  #parent = new Int32Array(1024);
  #count = 0;
  readonly #fixed = new Map<number, Fixed>();
  readonly #stacked = new Set<number>();

  get count(): number {
    return this.#count;
  }

  /** Adds places, each in a set of its own. @returns the number of the first */
  add(count: number): number {
    const first = this.#count;
    this.#count += count;
    if (this.#count > this.#parent.length) {
      const larger = new Int32Array(Math.max(this.#count, 2 * this.#parent.length));
      larger.set(this.#parent);
      this.#parent = larger;
    }
    for (let place = first; place < this.#count; place += 1) this.#parent[place] = place;
    return first;
  }

  /** The number of a place's set. */
  find(place: number): number {
    const parent = this.#parent;
    let root = place;
    while (parent[root] !== root) {
      const up = parent[root] as number;
      parent[root] = parent[up] as number;
      root = parent[root] as number;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [to, from] = [this.find(a), this.find(b)];
    if (to === from) return;
    this.#parent[from] = to;
    const fixed = this.#fixed.get(from);
    if (fixed !== undefined) {
      this.#fixed.delete(from);
      if (!this.#fixed.has(to)) this.#fixed.set(to, fixed);
    }
    if (this.#stacked.delete(from)) this.#stacked.add(to);
  }

  fix(place: number, reason: Fixed): void {
    const set = this.find(place);
    if (!this.#fixed.has(set)) this.#fixed.set(set, reason);
  }

  /** Why a place must stay; undefined where it may go. */
  fixedBy(place: number): Fixed | undefined {
    return this.#fixed.get(this.find(place));
  }

  markStacked(place: number): void {
    this.#stacked.add(this.find(place));
  }

  isStacked(place: number): boolean {
    return this.#stacked.has(this.find(place));
  }
}
