import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { labelDigest } from "./digests.js";

const buffer = (...bytes: readonly number[]): ArrayBuffer => Uint8Array.from(bytes).buffer;

describe("a label's digest", () => {
  it.each<[string, unknown, unknown]>([
    ["sets", new Set([1]), new Set([2])],
    ["maps", new Map([["a", 1]]), new Map([["a", 2]])],
    ["buffers", buffer(1), buffer(2)],
    ["views", new DataView(buffer(1)), new DataView(buffer(2))],
    ["sets in objects", { boxes: [new Set([1])] }, { boxes: [new Set()] }],
    ["dates", new Date(0), new Date(0).toJSON()],
    ["big integers and text", 1n, "1n"],
    ["numbers and text", Number.NaN, "NaN"],
    ["numbers as objects", Object(1), Object(2)],
    ["infinities", [Infinity], [-Infinity]],
    ["nothing and null", [undefined], [null]],
    ["what is absent", { a: undefined }, {}],
    ["typed arrays", Float32Array.of(1), Float32Array.of(2)],
    ["types", Int8Array.of(1), Uint8Array.of(1)],
  ])("tells %s apart", (_, one, other) => {
    expect(labelDigest(one)).toBe(labelDigest(structuredClone(one)));
    expect(labelDigest(one)).not.toBe(labelDigest(other));
  });

  it("is made of a circle", () => {
    const circle = (of: number): unknown => {
      const list: unknown[] = [of];
      list.push({ list });
      return list;
    };
    expect(labelDigest(circle(1))).toBe(labelDigest(circle(1)));
    expect(labelDigest(circle(1))).not.toBe(labelDigest(circle(2)));
  });

  it("of plain values is what earlier locks have", () => {
    const digest = (text: string | Uint8Array): string =>
      createHash("sha256").update(text).digest("base64");
    const shared = [1];
    for (const label of [null, 3, "3", [1, [true]], { a: { b: -0.5 } }, { shared, again: shared }])
      expect(labelDigest(label)).toBe(digest(JSON.stringify(label)));
    const bits = Int16Array.of(1, -1);
    const told = ["Int16Array", digest(new Uint8Array(bits.buffer))];
    expect(labelDigest({ box: bits })).toBe(digest(JSON.stringify({ box: told })));
  });
});
