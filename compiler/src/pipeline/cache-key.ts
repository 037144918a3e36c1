import { PareError, sha256Sync } from "@pare/runtime/format";

/** What an entry of the cache holds; equal parts under two kinds are two keys. */
export type CacheKind =
  | "activations"
  | "blocks"
  | "cold-start"
  | "counts"
  | "latency"
  | "layer-error"
  | "parity"
  | "predictions"
  | "sample-cost"
  | "size"
  | "shared"
  | "training"
  | "try-out";

/** What a key is made of: text and numbers, in lists and by name. */
export type KeyPart =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly KeyPart[]
  | { readonly [name: string]: KeyPart };

/**
 * Names a result by all that it depends on. Only the hash is kept, so nothing that a model, a recipe or a user's file
 * says can become part of a path.
 */
export class CacheKey {
  /** sha256 of kind and parts: 64 hex digits. */
  readonly hash: string;
  // Makes the class nominal: no object written by hand passes for a key.
  readonly #kind: CacheKind;

  private constructor(kind: CacheKind, hash: string) {
    this.#kind = kind;
    this.hash = hash;
  }

  get kind(): CacheKind {
    return this.#kind;
  }

  /**
   * @param parts by name; their order does not matter, that of lists does
   * @throws PareError INTERNAL for a part of another type
   */
  static of(kind: CacheKind, parts: { readonly [name: string]: KeyPart }): CacheKey {
    return new CacheKey(kind, sha256Sync(new TextEncoder().encode(canonical([kind, parts]))));
  }
}

/** One text for each value and one value for each text: as JSON, but for numbers that JSON has no text for. */
function canonical(part: KeyPart): string {
  switch (typeof part) {
    case "string":
      return JSON.stringify(part);
    case "number":
      return Object.is(part, -0) ? "-0" : String(part);
    case "bigint":
      return `${part}n`;
    case "boolean":
      return String(part);
    case "object":
      if (part === null) return "null";
      if (isList(part)) return `[${part.map((item) => canonical(item)).join(",")}]`;
      return `{${Object.entries(part)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`)
        .join(",")}}`;
    default:
      throw new PareError("INTERNAL", `A ${typeof part} cannot be part of a cache key.`);
  }
}

function isList(part: object): part is readonly KeyPart[] {
  return Array.isArray(part);
}
