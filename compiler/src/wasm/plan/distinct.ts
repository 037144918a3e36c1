/** Things of which those that are the same are there once. */
export class Distinct<T> {
  readonly all: T[] = [];
  readonly #isSame: (one: T, other: T) => boolean;
  readonly #byKey = new Map<string, T[]>();

  constructor(isSame: (one: T, other: T) => boolean) {
    this.#isSame = isSame;
  }

  /** @param key the same of all that are the same */
  firstLike(one: T, key: string): T {
    const alike = this.#byKey.get(key) ?? [];
    const same = alike.find((other) => this.#isSame(one, other));
    if (same !== undefined) return same;
    this.#byKey.set(key, [...alike, one]);
    this.all.push(one);
    return one;
  }
}
