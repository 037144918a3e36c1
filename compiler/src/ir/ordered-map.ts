/** What can be asked of a set whose members have an order. */
export interface Members<T> extends Iterable<T> {
  readonly size: number;
  has(member: T): boolean;
}

/**
 * Items by key, in the order in which they came. Each comes, goes, and is put back in its place in constant time: a
 * body has as many nodes, and a constant as many readers, as a model is large.
 */
export class OrderedMap<Key, Item> implements Iterable<Item> {
  readonly #entries = new Map<Key, { readonly item: Item; readonly place: number }>();
  #next = 0;
  #sorted = true;

  get size(): number {
    return this.#entries.size;
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    this.#sort();
    for (const { item } of this.#entries.values()) yield item;
  }

  /** Comes last; where the key is known, nothing happens. */
  set(key: Key, item: Item): void {
    if (this.#entries.has(key)) return;
    this.#entries.set(key, { item, place: this.#next });
    this.#next += 1;
  }

  /** Takes an item out; what it gives puts it back in its place. Undefined where there is none. */
  delete(key: Key): (() => void) | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    return () => {
      this.#entries.set(key, entry);
      this.#sorted = false;
    };
  }

  /** When order is asked for, and not when an item is put back: a transaction that fails puts back many. */
  #sort(): void {
    if (this.#sorted) return;
    const entries = [...this.#entries].sort(([, a], [, b]) => a.place - b.place);
    this.#entries.clear();
    for (const [key, entry] of entries) this.#entries.set(key, entry);
    this.#sorted = true;
  }
}

export class OrderedSet<T> extends OrderedMap<T, T> implements Members<T> {
  constructor(members: Iterable<T> = []) {
    super();
    for (const member of members) this.add(member);
  }

  add(member: T): void {
    this.set(member, member);
  }
}
