import { byteSource, isPareError } from "@pare/runtime/format";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readMessage } from "./read-message.js";
import type { Message, MessageName } from "./schema.js";
import { Slice } from "./slice.js";
import { writeMessage } from "./write-message.js";

const bytes = (...values: number[]) => Uint8Array.from(values);
const read = <Name extends MessageName>(name: Name, data: Uint8Array) =>
  readMessage(name, byteSource(data));

async function again<Name extends MessageName>(
  name: Name,
  message: Message<Name>,
): Promise<Message<Name>> {
  return read(name, await writeMessage(name, message));
}

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (isPareError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not fail");
}

describe("64-bit integers", () => {
  it.each([
    0n,
    1n,
    -1n,
    127n,
    128n,
    2n ** 31n,
    -(2n ** 31n),
    2n ** 32n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])("keeps %s", async (value) => {
    const message: Message<"AttributeProto"> = { name: "a", i: value, ints: [value, 0n, value] };
    expect(await again("AttributeProto", message)).toEqual(message);
    const tensor: Message<"TensorProto"> = {
      dims: [value],
      int64Data: [value, value],
      uint64Data: [BigInt.asUintN(64, value)],
    };
    expect(await again("TensorProto", tensor)).toEqual(tensor);
  });

  it("are written as protobuf writes them", async () => {
    expect(await writeMessage("SegmentProto", { begin: -1n })).toEqual(
      bytes(8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1),
    );
    expect(await writeMessage("SegmentProto", { end: 300n })).toEqual(bytes(16, 0xac, 2));
  });

  it("keeps any", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
        async (values) => {
          expect(await again("AttributeProto", { ints: values })).toEqual({ ints: values });
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("repeated numbers", () => {
  it("reads packed and unpacked alike", async () => {
    const packed = await read("AttributeProto", bytes(0x42, 3, 1, 2, 3));
    const unpacked = await read("AttributeProto", bytes(0x40, 1, 0x40, 2, 0x40, 3));
    expect(packed).toEqual({ ints: [1n, 2n, 3n] });
    expect(unpacked).toEqual(packed);
  });

  it("refuses a pack that does not end where it says", async () => {
    expect(await failure(read("AttributeProto", bytes(0x42, 2, 1, 0x80, 0x40, 1)))).toMatchObject({
      code: "MODEL_INVALID",
    });
  });

  it("keeps negative int32s, and floats as they are", async () => {
    const tensor: Message<"TensorProto"> = {
      floatData: [Math.fround(0.1), -0, Infinity],
      int32Data: [-1, 65535],
      doubleData: [0.1],
    };
    expect(await again("TensorProto", tensor)).toEqual(tensor);
  });
});

describe("what is not known", () => {
  it("is kept as it was, whatever its encoding", async () => {
    // Fields 1000 (varint), 1001 (64 bits), 1002 (bytes) and 1003 (32 bits), after a known one.
    const data = bytes(
      0x0a,
      1,
      0x61,
      0xc0,
      0x3e,
      0xff,
      1,
      0xc9,
      0x3e,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      255,
      0xd2,
      0x3e,
      2,
      9,
      8,
      0xdd,
      0x3e,
      1,
      2,
      3,
      255,
    );
    const message = await read("StringStringEntryProto", data);
    expect(message.unknown).toHaveLength(4);
    expect(await writeMessage("StringStringEntryProto", message)).toEqual(data);
  });

  it("is kept inside what is", async () => {
    const data = bytes(0x3a, 5, 0xc2, 0x3e, 2, 1, 2);
    expect(await writeMessage("ModelProto", await read("ModelProto", data))).toEqual(data);
  });

  it("refuses groups and fields without a number", async () => {
    expect(await failure(read("ModelProto", bytes(0x0b, 0x0c)))).toMatchObject({
      code: "MODEL_INVALID",
    });
    expect(await failure(read("ModelProto", bytes(0x00, 1)))).toMatchObject({
      code: "MODEL_INVALID",
    });
  });
});

describe("damage", () => {
  it("tells a file that was cut off from one that is not a model", async () => {
    const whole = await writeMessage("ModelProto", {
      irVersion: 8n,
      graph: { name: "a graph with a name" },
    });
    expect(await failure(read("ModelProto", whole.subarray(0, -5)))).toMatchObject({
      code: "MODEL_TRUNCATED",
      message: "ModelProto.graph should be 21 bytes, but only 16 are left.",
    });
    for (const text of [
      "<!DOCTYPE html><html>",
      '{"model": 1}',
      "\x89PNG\r\n\x1a\n",
      "PK\x03\x04 zipped",
    ]) {
      expect(await failure(read("ModelProto", new TextEncoder().encode(text)))).toMatchObject({
        code: "MODEL_INVALID",
      });
    }
  });

  it("finds a message longer than the one that holds it", async () => {
    expect(await failure(read("ModelProto", bytes(0x3a, 2, 0x12, 9)))).toMatchObject({
      code: "MODEL_INVALID",
      message: "GraphProto.name should be 9 bytes, but only 0 are left.",
    });
  });

  it("refuses another encoding than the field's, text that is not UTF-8, and a message given twice", async () => {
    expect(await failure(read("ModelProto", bytes(0x0a, 1, 1)))).toMatchObject({
      message: "ModelProto.irVersion is not encoded as int64.",
    });
    expect(await failure(read("ModelProto", bytes(0x12, 1, 0xff)))).toMatchObject({
      message: "ModelProto.producerName is not valid UTF-8.",
    });
    expect(await failure(read("ModelProto", bytes(0x3a, 0, 0x3a, 0)))).toMatchObject({
      message: "ModelProto.graph is given twice.",
    });
    expect(
      await failure(read("ModelProto", bytes(8, ...Array<number>(11).fill(0xff)))),
    ).toMatchObject({ code: "MODEL_INVALID" });
  });

  it("stops at 64 levels, short or long", async () => {
    const sequences = (count: number): Message<"TypeProto"> => {
      let type: Message<"TypeProto"> = {};
      for (let level = 0; level < count; level += 1) type = { sequenceType: { elemType: type } };
      return type;
    };
    const tooDeep = { code: "MODEL_LIMIT", message: "The model nests deeper than 64 levels." };
    expect(await again("TypeProto", sequences(31))).toEqual(sequences(31));
    expect(await failure(again("TypeProto", sequences(33)))).toMatchObject(tooDeep);
    const long = { name: "n".repeat(70_000) };
    const bodies = (count: number): Message<"GraphProto"> => {
      let graph: Message<"GraphProto"> = long;
      for (let level = 0; level < count; level += 1)
        graph = { ...long, node: [{ attribute: [{ g: graph }] }] };
      return graph;
    };
    await again("GraphProto", bodies(20));
    expect(await failure(again("GraphProto", bodies(22)))).toMatchObject(tooDeep);
  });

  it("of any kind gives a PareError, and never takes long", async () => {
    const model = await writeMessage("ModelProto", {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: {
        name: "g",
        node: [
          {
            input: ["x"],
            output: ["y"],
            opType: "Relu",
            attribute: [{ name: "a", ints: [1n, -1n], type: 7 }],
          },
        ],
        initializer: [{ dims: [2n], dataType: 1, floatData: [1, 2], name: "w" }],
      },
    });
    const mutation = fc.array(fc.tuple(fc.nat(model.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(mutation, fc.nat(model.length), async (changes, length) => {
        const mutant = model.slice(0, length);
        for (const [at, value] of changes) if (at < length) mutant[at] = value;
        try {
          const message = await read("ModelProto", mutant);
          expect(await again("ModelProto", message)).toEqual(message);
        } catch (error) {
          if (!isPareError(error)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("long data", () => {
  it("stays in the source until it is asked for", async () => {
    const raw = new Uint8Array(100_000).map((_, i) => i);
    const long = Array.from({ length: 80_000 }, (_, i) => BigInt(i % 100));
    const whole = await writeMessage("GraphProto", {
      name: "g",
      initializer: [
        { name: "a", rawData: raw },
        { name: "b", int64Data: long },
        { name: "c", rawData: raw.subarray(0, 10) },
      ],
    });
    const reads: number[] = [];
    const source = {
      size: whole.length,
      read: (offset: number, length: number) => (
        reads.push(length),
        byteSource(whole).read(offset, length)
      ),
    };
    const message = await readMessage("GraphProto", source);
    const [a, b, c] = message.initializer ?? [];
    expect(a?.rawData).toBeInstanceOf(Slice);
    expect(b?.int64Data).toBeInstanceOf(Slice);
    expect(c?.rawData).toEqual(raw.subarray(0, 10));
    expect(reads.length).toBeLessThan(6);
    expect(Math.max(...reads)).toBeLessThanOrEqual(65_536);
    const kept = a?.rawData instanceof Slice ? await a.rawData.read() : new Uint8Array();
    expect(Buffer.compare(kept, raw)).toBe(0);
    expect(Buffer.compare(await writeMessage("GraphProto", message), whole)).toBe(0);
  });
});
