/** Numbers of which the least is taken next: a binary heap. */
export class LeastFirst {
  readonly #heap: number[] = [];

  add(number: number): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let above = (at - 1) >> 1; at > 0 && this.#at(above) > number; above = (at - 1) >> 1) {
      heap[at] = this.#at(above);
      at = above;
    }
    heap[at] = number;
  }

  /** Undefined where there is none. */
  take(): number | undefined {
    const heap = this.#heap;
    const [least] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return least;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      if (this.#at(below + 1) < this.#at(below)) below += 1;
      if (this.#at(below) >= last) break;
      heap[at] = this.#at(below);
      at = below;
    }
    heap[at] = last;
    return least;
  }

  #at(place: number): number {
    return this.#heap[place] ?? Infinity;
  }
}
