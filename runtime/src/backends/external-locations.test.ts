import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { externalLocations } from "./external-locations.js";

/** Just enough of protobuf. */
const field = (number: number, value: Uint8Array | string): Uint8Array => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  const tag = (number << 3) | 2;
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)]);
  return Uint8Array.from([...varint(tag), ...varint(bytes.length), ...bytes]);
};
const message = (...fields: Uint8Array[]): Uint8Array =>
  Uint8Array.from(fields.flatMap((one) => [...one]));

const tagOf = (number: number, type: number): number[] => {
  const tag = number * 8 + type;
  return [(tag & 127) | 128, tag >> 7];
};
const start = (number: number): number[] => tagOf(number, 3);
const end = (number: number): number[] => tagOf(number, 4);

/** A tensor whose data lies in a file. */
const tensor = (location: string): Uint8Array =>
  message(
    field(13, message(field(1, "location"), field(2, location))),
    field(13, message(field(1, "offset"), field(2, "0"))),
  );

describe("the files that a model refers to", () => {
  it("are found wherever tensors lie", () => {
    const attribute = message(
      field(5, tensor("of an attribute")),
      field(6, field(5, tensor("of a body"))),
      field(10, tensor("of a list")),
      field(11, field(1, field(5, field(6, field(5, tensor("of a body in a body")))))),
      field(
        22,
        message(field(1, tensor("of sparse values")), field(2, tensor("of sparse indices"))),
      ),
    );
    const graph = message(
      field(1, field(5, attribute)),
      field(5, tensor("of a weight")),
      field(15, field(1, tensor("of a sparse weight"))),
    );
    const model = message(
      field(7, graph),
      field(20, field(1, field(5, tensor("of training")))),
      field(25, field(7, field(5, field(5, tensor("of a function"))))),
    );
    expect([...(externalLocations(model) ?? [])].toSorted()).toEqual([
      "of a body",
      "of a body in a body",
      "of a function",
      "of a list",
      "of a sparse weight",
      "of a weight",
      "of an attribute",
      "of sparse indices",
      "of sparse values",
      "of training",
    ]);
  });

  it("are found behind a group, which engines pass over", () => {
    const group = Uint8Array.from([
      ...start(900),
      ...field(1, "passed over"),
      0x0b,
      0x08,
      1,
      0x0c,
      ...end(900),
    ]);
    const model = message(group, field(7, field(5, tensor("behind"))));
    expect(externalLocations(model)).toEqual(new Set(["behind"]));
  });

  it("are those of a file", async () => {
    const read = (name: string): Promise<Uint8Array> =>
      readFile(new URL(`../../test-models/${name}`, import.meta.url));
    expect(externalLocations(await read("external.onnx"))).toEqual(new Set(["external.bin"]));
    expect(externalLocations(await read("affine.onnx"))).toEqual(new Set());
  });

  it("are found behind tags that take more bytes than they must", () => {
    const graph = field(5, tensor("behind"));
    const model = (...tag: number[]): Uint8Array =>
      Uint8Array.from([0x08, 8, ...tag, graph.length, ...graph]);
    // Beyond 32 bits protobuf's C++, and so the engine, drops what a tag says.
    for (const tag of [[0x3a], [0xba, 0x00], [0xba, 0x80, 0x80, 0x80, 0x10]])
      expect(externalLocations(model(...tag))).toEqual(new Set(["behind"]));
    expect(externalLocations(model(0xba, 0x80, 0x80, 0x80, 0x80, 0x00))).toBeNull();
    const group = [0x8b, 0x80, 0x80, 0x80, 0x10, 0x0c];
    expect(externalLocations(Uint8Array.from([...group, ...model(0x3a)]))).toEqual(
      new Set(["behind"]),
    );
  });

  it("are not told of what is no message", () => {
    for (const bytes of [
      [0xff],
      [0x3a, 0x05, 0x00],
      [0x0b],
      [0x08],
      [0x0d, 1],
      Array(12).fill(0xff),
    ])
      expect(externalLocations(Uint8Array.from(bytes))).toBeNull();
    let deep = tensor("x");
    for (let level = 0; level < 300; level += 1) deep = field(1, field(5, field(6, deep)));
    expect(externalLocations(field(7, deep))).toBeNull();
  });
});
