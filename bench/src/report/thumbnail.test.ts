import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { thumbnailOf } from "./thumbnail.js";

function png(feeds: Parameters<typeof thumbnailOf>[0]): {
  width: number;
  height: number;
  colour: number;
  pixels: number[];
} {
  const bytes = Buffer.from(
    (thumbnailOf(feeds) ?? "").replace(/^data:image\/png;base64,/, ""),
    "base64",
  );
  const length = bytes.readUInt32BE(33);
  const rows = inflateSync(bytes.subarray(41, 41 + length));
  const [width, height, colour] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[25] ?? -1];
  const stride = width * (colour === 2 ? 3 : 1) + 1;
  return { width, height, colour, pixels: [...rows].filter((_, index) => index % stride !== 0) };
}

describe("thumbnails", () => {
  it("draw planes and interleaved channels alike", () => {
    const size = 6;
    const planes = Float32Array.from(
      { length: 3 * size * size },
      (_, index) => Math.floor(index / (size * size)) - 1,
    );
    const interleaved = Float32Array.from(
      { length: 3 * size * size },
      (_, index) => (index % 3) - 1,
    );
    const first = png({ x: { type: "float32", dims: [1, 3, size, size], data: planes } });
    const last = png({ x: { type: "float32", dims: [1, size, size, 3], data: interleaved } });
    expect(first).toMatchObject({ width: size, height: size, colour: 2 });
    expect(first.pixels.slice(0, 6)).toEqual([0, 128, 255, 0, 128, 255]);
    expect(last).toEqual(first);
  });

  it("are small, and keep their proportions", () => {
    expect(
      png({ x: { type: "float32", dims: [1, 1, 48, 192], data: new Float32Array(48 * 192) } }),
    ).toMatchObject({ width: 96, height: 24, colour: 0 });
  });

  it("are null for what is no image", () => {
    expect(
      thumbnailOf({
        ids: { type: "int64", dims: [1, 128], data: new BigInt64Array(128) },
        y: { type: "float32", dims: [1, 7, 9, 11], data: new Float32Array(693) },
      }),
    ).toBeNull();
  });
});
