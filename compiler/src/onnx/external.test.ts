import { type ByteSource, byteSource, isPareError } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import {
  checkLocation,
  decodeModel,
  encodeModel,
  externalLocations,
  type Message,
  readMessage,
  writeMessage,
} from "./index.js";

const entries = (given: Record<string, string>) =>
  Object.entries(given).map(([key, value]) => ({ key, value }));

async function model(given: Record<string, string>, dims = [2n]): Promise<Uint8Array> {
  const tensor: Message<"TensorProto"> = {
    name: "w",
    dims,
    dataType: 1,
    dataLocation: 1,
    externalData: entries(given),
  };
  return writeMessage("ModelProto", {
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    graph: { initializer: [tensor], output: [{ name: "w" }] },
  });
}

async function refusal(
  given: Record<string, string>,
  files: Record<string, Uint8Array>,
): Promise<string> {
  const external = new Map<string, ByteSource>(
    Object.entries(files).map(([name, bytes]) => [name, byteSource(bytes)]),
  );
  try {
    await decodeModel({ proto: byteSource(await model(given)), external });
  } catch (error) {
    if (isPareError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return "opened";
}

async function contentOf({ external }: Awaited<ReturnType<typeof encodeModel>>) {
  const parts: Uint8Array[] = [];
  for (const { content } of external.values()) for await (const part of content()) parts.push(part);
  return Buffer.concat(parts);
}

describe("a location", () => {
  it.each([
    "",
    "/etc/passwd",
    "../w.bin",
    "a/../../w.bin",
    "a\\b",
    "C:w.bin",
    "c:/w",
    "a\0b",
    "a//b",
    "a/.",
  ])("may not be %j", (location) => {
    expect(() => checkLocation(location)).toThrowError(/external data/);
  });

  it.each(["w.bin", "./w.bin", "weights/part-1.bin", "..w", "a b"])("may be %j", (location) => {
    expect(() => checkLocation(location)).not.toThrow();
  });
});

/** A sparse tensor of three, of which the last two are 1 and 2: its values and indices lie in "w". */
function sparseModel(): Promise<Uint8Array> {
  const outside = (dataType: number, offset: string, length: string) => ({
    dims: [2n],
    dataType,
    dataLocation: 1,
    externalData: entries({ location: "w", offset, length }),
  });
  const values = { name: "s", ...outside(1, "4", "8") };
  const indices = outside(7, "12", "16");
  return writeMessage("ModelProto", {
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    graph: { sparseInitializer: [{ values, indices, dims: [3n] }], output: [{ name: "s" }] },
  });
}

describe("external data", () => {
  const file = new Uint8Array(Float32Array.of(0, 1, 2).buffer);

  it.each<[string, Record<string, string>]>([
    ['EXTERNAL_DATA Initializer "w" is in the file "v", which is missing.', { location: "v" }],
    [
      'EXTERNAL_DATA Initializer "w" needs 8 bytes at 8 of "w", which has 12.',
      { location: "w", offset: "8", length: "8" },
    ],
    [
      'MODEL_SHAPE Initializer "w" is float32 [2], which is 8 bytes, but there are 4.',
      { location: "w", length: "4" },
    ],
    ['EXTERNAL_DATA External data of Initializer "w" has no location.', {}],
    [
      'EXTERNAL_DATA External data of Initializer "w" has an unknown key "__proto__".',
      JSON.parse('{"location": "w", "__proto__": "x"}') as Record<string, string>,
    ],
    [
      'EXTERNAL_DATA External data of Initializer "w" has the length "9999999999999999999".',
      { location: "w", length: "9999999999999999999" },
    ],
    [
      'EXTERNAL_DATA External data of Initializer "w" has the offset "-4".',
      { location: "w", offset: "-4" },
    ],
    [
      'EXTERNAL_DATA The location "../w" of external data leaves the model\'s folder.',
      { location: "../w" },
    ],
    ["opened", { location: "w", offset: "4", length: "8", checksum: "00" }],
    ["opened", { location: "w", offset: "4" }],
    // Where no length is given, the file may hold other tensors behind.
    ["opened", { location: "w" }],
    [
      'EXTERNAL_DATA Initializer "w" needs 8 bytes at 8 of "w", which has 12.',
      { location: "w", offset: "8" },
    ],
  ])("%s", async (expected, given) => {
    expect(await refusal(given, { w: file })).toBe(expected);
  });

  it("of a sparse tensor comes into the file, for there is no other to be read beside it", async () => {
    const indices = new Uint8Array(BigInt64Array.of(1n, 2n).buffer);
    const graph = await decodeModel({
      proto: byteSource(await sparseModel()),
      external: new Map([["w", byteSource(Uint8Array.from([...file, ...indices]))]]),
    });
    const { proto } = await encodeModel(graph);
    expect(externalLocations(await readMessage("ModelProto", byteSource(proto)))).toEqual([]);
    const again = await decodeModel({ proto: byteSource(proto) });
    const [id] = again.main.initializers;
    expect(id === undefined ? undefined : await again.constant(id)?.read()).toEqual(
      Float32Array.of(0, 1, 2),
    );
  });

  it("is put into the file, kept where it is, or moved, with the same elements", async () => {
    const values = Float32Array.from({ length: 40_000 }, (_, i) => i);
    const big = new Uint8Array(values.buffer);
    const bytes = await model({ location: "w", offset: "0", length: "160000" }, [40_000n]);
    const graph = await decodeModel({
      proto: byteSource(bytes),
      external: new Map([["w", byteSource(big)]]),
    });

    const inline = await encodeModel(graph);
    expect(inline.external.size).toBe(0);
    expect(inline.proto.length).toBeGreaterThan(160_000);

    const keep = await encodeModel(graph, { external: "keep" });
    expect(Buffer.compare(keep.proto, bytes)).toBe(0);

    const source = await decodeModel({ proto: byteSource(inline.proto) });
    const within = { location: "model.data", beyond: 160_000 };
    expect((await encodeModel(source, { external: within })).external.size).toBe(0);
    const moved = await encodeModel(source, { external: { ...within, beyond: 159_999 } });
    expect(moved.proto.length).toBeLessThan(200);
    const message = await readMessage("ModelProto", byteSource(moved.proto));
    expect(externalLocations(message)).toEqual(["model.data"]);
    const again = await decodeModel({
      proto: byteSource(moved.proto),
      external: new Map([["model.data", byteSource(await contentOf(moved))]]),
    });
    const [id] = again.main.initializers;
    const read = id === undefined ? undefined : await again.constant(id)?.readArray();
    expect(read?.length).toBe(values.length);
    expect(read?.every((value, i) => value === values[i])).toBe(true);
  });
});
