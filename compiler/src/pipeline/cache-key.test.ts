import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CacheKey, type KeyPart } from "./cache-key.js";
import { memoryCache, noCache } from "./services.js";

const hash = (...parts: KeyPart[]): string => CacheKey.of("size", { parts }).hash;
const parts: fc.Arbitrary<KeyPart> = fc.letrec<{ part: KeyPart }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("part"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("part"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).part;

describe("a cache key", () => {
  it("is a hash and nothing else", () => {
    expect(hash("../../etc/passwd", "a\0b")).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is the same for the same parts, however their names are ordered", () => {
    const one = CacheKey.of("latency", { model: "m", threads: 2 });
    const other = CacheKey.of("latency", { threads: 2, model: "m" });
    expect(one.hash).toBe(other.hash);
  });

  it("differs by kind, by name, and by type where the text is the same", () => {
    const keys = [
      hash("1"),
      hash(1),
      hash(1n),
      hash(true),
      hash("true"),
      hash(null),
      hash("null"),
      hash(0),
      hash(-0),
      hash(Number.NaN),
      hash("NaN"),
      hash(Infinity),
      hash(),
      hash([]),
      hash({}),
      hash("a", "b"),
      hash("b", "a"),
      hash("a,b"),
      hash('a","b'),
      hash(["a"], "b"),
      hash({ a: "b" }),
      hash("\ud800"),
      hash("\udfff"),
      hash("\ufffd"),
      CacheKey.of("latency", { parts: ["1"] }).hash,
      CacheKey.of("size", { part: ["1"] }).hash,
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("is equal for equal parts only", () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(hash(a) === hash(b)).toBe(same(a, b));
        expect(hash(a)).toBe(hash(structuredClone(a)));
      }),
    );
  });
});

function same(a: KeyPart, b: KeyPart): boolean {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
}

describe("caches without a disk", () => {
  it("keep copies, or nothing", async () => {
    const key = CacheKey.of("size", { graph: "g" });
    const bytes = Uint8Array.of(1, 2, 3);
    const cache = memoryCache();
    await cache.put(key, bytes);
    bytes.fill(0);
    (await cache.get(key))?.fill(9);
    expect(await cache.get(key)).toEqual(Uint8Array.of(1, 2, 3));
    expect(await cache.get(CacheKey.of("size", { graph: "h" }))).toBeUndefined();
    await noCache.put(key, bytes);
    expect(await noCache.get(key)).toBeUndefined();
  });
});
