import { byteSource, isPareError } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import {
  edit,
  type Graph,
  printGraph,
  Tensor,
  tensorType,
  typeText,
  verifyGraph,
} from "../ir/index.js";
import { inferNode } from "../ops/index.js";
import { decodeModel, encodeModel, type Message, readMessage, writeMessage } from "./index.js";

type GraphProto = Message<"GraphProto">;

const float32 = (...dims: (number | string)[]): Message<"TypeProto"> => ({
  tensorType: {
    elemType: 1,
    shape: {
      dim: dims.map((size) =>
        typeof size === "string" ? { dimParam: size } : { dimValue: BigInt(size) },
      ),
    },
  },
});
const x = { name: "x", type: float32(2) };
const scalar = (name: string, value: number): Message<"TensorProto"> => ({
  name,
  dataType: 1,
  floatData: [value],
});
const node = (
  opType: string,
  input: string[],
  output: string[],
  more: Message<"NodeProto"> = {},
): Message<"NodeProto"> => ({ opType, input, output, ...more });

async function open(graph: GraphProto, more: Message<"ModelProto"> = {}): Promise<Graph> {
  const bytes = await writeMessage("ModelProto", {
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
    ...more,
    graph,
  });
  const opened = await decodeModel({ proto: byteSource(bytes) }, { infer: inferNode });
  verifyGraph(opened);
  return opened;
}

async function written(graph: Graph): Promise<Message<"ModelProto">> {
  return readMessage("ModelProto", byteSource((await encodeModel(graph)).proto));
}

async function refusal(graph: GraphProto): Promise<string> {
  try {
    await open(graph);
  } catch (error) {
    if (isPareError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("it was opened");
}

describe("a model that is wrong is refused by name", () => {
  const y = [{ name: "y" }];
  it.each<[string, GraphProto]>([
    [
      'MODEL_NAME Nothing defines "z", which is read by relu.',
      { input: [x], node: [node("Relu", ["z"], ["y"], { name: "relu" })], output: y },
    ],
    [
      'MODEL_NAME Nothing defines "y", which is read by output of the graph.',
      { input: [x], output: y },
    ],
    [
      'MODEL_NAME The name "x" is defined twice, the second time by x.',
      { input: [x], node: [node("Relu", ["x"], ["x"])] },
    ],
    ['MODEL_NAME The name "x" is defined twice, the second time by input.', { input: [x, x] }],
    [
      'MODEL_NAME The name "w" is defined twice, the second time by initializer.',
      { initializer: [scalar("w", 1), scalar("w", 2)].map((w) => ({ ...w, dims: [1n] })) },
    ],
    [
      'MODEL_NAME relu (Relu) has the attribute "a" twice.',
      {
        input: [x],
        node: [
          node("Relu", ["x"], ["y"], {
            name: "relu",
            attribute: [
              { name: "a", i: 1n },
              { name: "a", i: 2n },
            ],
          }),
        ],
      },
    ],
    [
      "MODEL_CYCLE Nodes depend on one another in a circle: first → second → third → first.",
      {
        input: [x],
        node: [
          node("Add", ["x", "c"], ["a"], { name: "first" }),
          node("Relu", ["a"], ["b"], { name: "second" }),
          node("Relu", ["b"], ["c"], { name: "third" }),
        ],
        output: [{ name: "c" }],
      },
    ],
    [
      "MODEL_CYCLE Nodes depend on one another in a circle: y → y.",
      { node: [node("Relu", ["y"], ["y"])] },
    ],
    [
      'MODEL_SHAPE Initializer "w" is float32 [3], which is 12 bytes, but there are 8.',
      { initializer: [{ name: "w", dims: [3n], dataType: 1, rawData: new Uint8Array(8) }] },
    ],
    [
      'MODEL_SHAPE Initializer "w" is float32 [3], but holds 2 elements.',
      { initializer: [{ name: "w", dims: [3n], dataType: 1, floatData: [1, 2] }] },
    ],
    [
      'MODEL_SHAPE Initializer "w" has the dim -3.',
      { initializer: [{ name: "w", dims: [-3n], dataType: 1 }] },
    ],
    [
      'MODEL_SHAPE Initializer "w" has impossible dims [0, 4294967296, 4294967296].',
      { initializer: [{ name: "w", dims: [0n, 2n ** 32n, 2n ** 32n], dataType: 1 }] },
    ],
    [
      'MODEL_SHAPE Initializer "w" is int64 [1000000000], but holds 1 elements.',
      { initializer: [{ name: "w", dims: [10n ** 9n], dataType: 7, int64Data: [1n] }] },
    ],
    [
      'MODEL_INVALID Initializer "w" does not say its element type.',
      { initializer: [{ name: "w" }] },
    ],
    [
      'MODEL_VERSION Initializer "w" has elements of type 99, which is not known.',
      { initializer: [{ name: "w", dataType: 99 }] },
    ],
    [
      'MODEL_SHAPE Attribute "value" of y is float32 [2], but holds 1 elements.',
      {
        node: [
          node("Constant", [], ["y"], {
            attribute: [{ name: "value", type: 4, t: { dims: [2n], dataType: 1, floatData: [1] } }],
          }),
        ],
      },
    ],
    ["MODEL_INVALID The node y does not say its operator.", { node: [{ output: ["y"] }] }],
    [
      "MODEL_LIMIT A shape has 300000 axes; at most 64 are read.",
      {
        input: [
          {
            name: "x",
            type: {
              tensorType: {
                elemType: 1,
                shape: { dim: Array.from({ length: 300_000 }, () => ({ dimParam: "a" })) },
              },
            },
          },
        ],
      },
    ],
    [
      'MODEL_LIMIT Initializer "w" has 65 axes; at most 64 are read.',
      { initializer: [{ ...scalar("w", 1), dims: Array.from({ length: 65 }, () => 1n) }] },
    ],
    [
      'MODEL_LIMIT Sparse initializer "s" gives 1 of 2147483648 elements; at most 67108864 are made of so few.',
      {
        sparseInitializer: [
          {
            values: { ...scalar("s", 5), dims: [1n] },
            indices: { dims: [1n], dataType: 7, int64Data: [7n] },
            dims: [2n ** 31n],
          },
        ],
        output: [{ name: "s" }],
      },
    ],
  ])("%s", async (expected, graph) => {
    expect(await refusal(graph)).toBe(expected);
  });

  it("and so is what is no model at all", async () => {
    const refused = async (bytes: Uint8Array) =>
      decodeModel({ proto: byteSource(bytes) }).catch((error: unknown) =>
        isPareError(error) ? error.message : error,
      );
    expect(await refused(new Uint8Array())).toBe("The file is empty.");
    expect(await refused(await writeMessage("ModelProto", { producerName: "nobody" }))).toBe(
      "The file holds no graph.",
    );
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 9\n`;
    expect(await refused(new TextEncoder().encode(pointer))).toMatch(/is a Git LFS pointer/);
  });

  it.each([
    ['is text, not an ONNX model: it begins with "<!DOCTYPE html>"', "<!DOCTYPE html>\n"],
    [
      'is text, not an ONNX model: it begins with "../models/génération/model.onnx"',
      "../models/génération/model.onnx",
    ],
    [
      'is text, not an ONNX model: it begins with "{ \\"message\\": \\"not found\\" }"',
      '{ "message": "not found" }',
    ],
    [
      'is text, not an ONNX model: it begins with "0123456789012345678901234567890123456789"',
      "0123456789".repeat(100),
    ],
    ["is compressed by gzip", "\x1f\x8b\x08\x00"],
    ["is a zip archive", "PK\x03\x04\x14"],
    ["is an HDF5 file", "\x89HDF\r\n\x1a\n"],
    ["is a TensorFlow Lite model", "\x1c\x00\x00\x00TFL3\x14"],
    ["is in onnxruntime's own format", "\x18\x00\x00\x00ORTM\x00\x00\x00\x00"],
    ["is a GGUF file", "GGUF\x03\x00\x00\x00"],
    ["is a Python pickle", "\x80\x04\x95\xd4\x02\x00\x00\x00\x00\x00\x00\x8c"],
    ["is a safetensors file", '\x10\x00\x00\x00\x00\x00\x00\x00{"weight"'],
    ["ModelProto has a field without a number", "\x01\x02"],
  ])("and what begins as another file says so: %s", async (expected, start) => {
    const text = start.startsWith("..")
      ? new TextEncoder().encode(start)
      : Buffer.from(start, "latin1");
    await expect(decodeModel({ proto: byteSource(Uint8Array.from(text)) })).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining(expected),
    });
  });

  it("but a model may begin with text, and be cut short", async () => {
    const model = await writeMessage("ModelProto", { producerName: "x".repeat(60) });
    await expect(decodeModel({ proto: byteSource(model.subarray(0, 50)) })).rejects.toMatchObject({
      code: "MODEL_TRUNCATED",
    });
  });
});

describe("names", () => {
  const inner = (output: string, ...nodes: Message<"NodeProto">[]): Message<"AttributeProto"> => ({
    type: 5,
    g: { node: nodes, output: [{ name: output }] },
  });

  it("are found in the bodies around; the nearest counts, also in siblings", async () => {
    const graph = await open({
      input: [x, { name: "c", type: { tensorType: { elemType: 9, shape: {} } } }],
      node: [
        node("Relu", ["x"], ["a"]),
        node("If", ["c"], ["y"], {
          attribute: [
            { ...inner("t", node("Tanh", ["a"], ["t"])), name: "then_branch" },
            {
              ...inner("t", node("Sin", ["x"], ["a"]), node("Abs", ["a"], ["t"])),
              name: "else_branch",
            },
          ],
        }),
      ],
      output: [{ name: "y" }],
    });
    expect(await printGraph(graph)).toBe(`graph main opset 17 (x: float32[2], c: bool[]) -> (y) {
  %1 = Relu(x) : float32[2]
  %5 = If(c) {else_branch = graph () {
    %2 = Sin(x) : float32[2]
    %3 = Abs(%2) : float32[2]
    return %3
  }, then_branch = graph () {
    %4 = Tanh(%1) : float32[2]
    return %4
  }} : float32[2]
  return %5
}
`);
    // What hides an outer name gets its own; what siblings share stays.
    const branches = (await written(graph)).graph?.node?.[1]?.attribute?.map(({ g }) =>
      g?.node?.flatMap(({ output }) => output),
    );
    expect(branches).toEqual([["t"], ["a_1", "t"]]);
  });

  it("are made unique when values share one, outputs first", async () => {
    const graph = await open({
      input: [x],
      node: [node("Relu", ["x"], ["y"])],
      output: [{ name: "y" }],
    });
    edit(graph, "test", (editor) => {
      const [output] = graph.main.outputs;
      if (output === undefined) throw new Error("no output");
      const w = editor.constant("y", Tensor.float32([], [2]));
      editor.replace(output, editor.add1("Mul", [output, w], {}, { outputs: ["y"] }), "scaled");
    });
    const message = await written(graph);
    expect(message.graph?.node?.map(({ input, output }) => [input, output])).toEqual([
      [["x"], ["y_2"]],
      [["y_2", "y_1"], ["y"]],
    ]);
    expect(message.graph?.initializer?.map(({ name }) => name)).toEqual(["y_1"]);
  });
});

describe("nodes", () => {
  it("of one body get names of their own, where they have any", async () => {
    const named = (name: string, of: ReturnType<typeof node>) => ({ ...of, name });
    const graph = await open({
      input: [x],
      node: [
        named("n", node("Abs", ["x"], ["a"])),
        named("n", node("Relu", ["a"], ["b"])),
        named("", node("Neg", ["b"], ["c"])),
        named("n", node("Tanh", ["c"], ["d"])),
      ],
      output: [{ name: "d" }],
    });
    const names = (await written(graph)).graph?.node?.map(({ name }) => name ?? "");
    expect(names).toEqual(["n", "n_1", "", "n_2"]);
  });

  it("that are not sorted are, and keep to the file's order where they can", async () => {
    const graph = await open({
      input: [x],
      node: [node("Abs", ["b"], ["c"]), node("Relu", ["x"], ["a"]), node("Tanh", ["a"], ["b"])],
      output: [{ name: "c" }],
    });
    expect((await written(graph)).graph?.node?.map(({ opType }) => opType)).toEqual([
      "Relu",
      "Tanh",
      "Abs",
    ]);
  });

  it("may leave inputs and outputs out", async () => {
    const clip = node("Clip", ["x", "", "m"], ["y", ""]);
    const graph = await open({
      input: [x],
      initializer: [scalar("m", 6)],
      node: [clip],
      output: [{ name: "y" }],
    });
    expect((await written(graph)).graph?.node).toEqual([clip]);
  });

  it("open by the ten thousand in well under a second each", async () => {
    const nodes = Array.from({ length: 10_000 }, (_, i) =>
      node("Relu", [i === 0 ? "x" : `v${i}`], [`v${i + 1}`], { name: `relu ${i}` }),
    );
    const graph = await open({ input: [x], node: nodes.reverse(), output: [{ name: "v10000" }] });
    expect(graph.order()).toHaveLength(10_000);
    expect(graph.main.outputs.map((id) => typeText(graph.value(id).type))).toEqual(["float32[2]"]);
  });
});

describe("types", () => {
  it("give a name that a shape repeats a symbol for each place, and write the file's spelling", async () => {
    const info = (name: string) => ({ name, type: float32("batch", "batch") });
    const graph = await open({
      input: [info("a"), info("b"), { name: "c", type: float32("batch", 3) }],
      node: [node("Add", ["a", "b"], ["y"])],
      output: [{ name: "y", type: float32("batch", "batch") }],
    });
    expect(graph.main.inputs.map((id) => typeText(graph.value(id).type))).toEqual([
      "float32[batch, batch_2]",
      "float32[batch, batch_2]",
      "float32[batch, 3]",
    ]);
    expect(graph.main.outputs.map((id) => typeText(graph.value(id).type))).toEqual([
      "float32[batch, batch_2]",
    ]);
    expect((await written(graph)).graph?.output?.[0]?.type).toEqual(float32("batch", "batch"));
  });

  it("are written anew where they changed, and only there", async () => {
    const declared = { name: "a", type: float32("N"), docString: "kept" };
    const graph = await open({
      input: [{ name: "x", type: float32("N") }],
      node: [node("Relu", ["x"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])],
      valueInfo: [declared],
      output: [{ name: "y", type: float32("N") }],
    });
    expect((await written(graph)).graph?.valueInfo).toEqual([declared]);
    edit(
      graph,
      "bind",
      (editor) => editor.setType(graph.main.inputs[0] ?? (0 as never), tensorType("float32", [5])),
      { interface: true },
    );
    const { graph: after } = await written(graph);
    expect(after?.input).toEqual([{ name: "x", type: float32(5) }]);
    expect(after?.valueInfo).toEqual([{ ...declared, type: float32(5) }]);
    expect(after?.output).toEqual([{ name: "y", type: float32(5) }]);
  });

  it("are written anew where the file declares what nothing can be", async () => {
    const declared = { name: "a", type: float32("N"), docString: "kept" };
    const graph = await open({
      input: [{ name: "x", type: float32("N", 3) }],
      node: [node("Relu", ["x"], ["a"]), node("Relu", ["a"], ["y"])],
      valueInfo: [declared],
      output: [{ name: "y", type: float32("N", 4) }],
    });
    const { graph: after } = await written(graph);
    expect(after?.valueInfo).toEqual([{ ...declared, type: float32("N", 3) }]);
    expect(after?.output).toEqual([{ name: "y", type: float32("N", 3) }]);
  });

  it("of every kind are read and written", async () => {
    const types: Message<"TypeProto">[] = [
      { sequenceType: { elemType: float32("N") }, denotation: "list" },
      { optionalType: { elemType: float32(1) } },
      { mapType: { keyType: 7, valueType: { tensorType: { elemType: 1, shape: {} } } } },
      {
        sparseTensorType: {
          elemType: 11,
          shape: { dim: [{ dimValue: 3n, denotation: "DATA_BATCH" }, {}] },
        },
      },
      { opaqueType: { domain: "d", name: "n" } },
      { tensorType: { elemType: 10 } },
      { tensorType: { elemType: 1, shape: { dim: [{ dimValue: -1n }] } } },
    ];
    const graph = await open({
      input: types.map((type, index) => ({ name: `i${index}`, type })),
      output: [],
    });
    expect(graph.main.inputs.map((id) => typeText(graph.value(id).type))).toEqual([
      "sequence(float32[N])",
      "optional(float32[1])",
      "map(int64, float32[])",
      expect.stringMatching(/^sparse float64\[3, "\?\d+"\]$/),
      "?",
      "float16[*]",
      expect.stringMatching(/^float32\["\?\d+"\]$/),
    ]);
    expect((await written(graph)).graph?.input?.map(({ type }) => type)).toEqual(types);
  });
});

describe("tensors", () => {
  const elements = async (proto: Message<"TensorProto">) => {
    const graph = await open({ initializer: [{ name: "w", ...proto }] });
    const [id] = graph.main.initializers;
    const tensor = id === undefined ? undefined : graph.constant(id);
    return {
      tensor,
      data: await tensor?.read(),
      again: (await written(graph)).graph?.initializer?.[0],
    };
  };

  it.each<[string, Message<"TensorProto">, unknown]>([
    ["float32", { dims: [2n], dataType: 1, floatData: [0.5, -1] }, Float32Array.of(0.5, -1)],
    [
      "float16 as int32",
      { dims: [2n], dataType: 10, int32Data: [0x3c00, 0xbc00] },
      Uint16Array.of(0x3c00, 0xbc00),
    ],
    ["int8 as int32", { dims: [2n], dataType: 3, int32Data: [-1, 127] }, Int8Array.of(-1, 127)],
    ["bool as int32", { dims: [2n], dataType: 9, int32Data: [1, 0] }, Uint8Array.of(1, 0)],
    [
      "uint32 as uint64",
      { dims: [1n], dataType: 12, uint64Data: [4294967295n] },
      Uint32Array.of(4294967295),
    ],
    [
      "uint64",
      { dims: [1n], dataType: 13, uint64Data: [2n ** 64n - 1n] },
      BigUint64Array.of(2n ** 64n - 1n),
    ],
    ["float64", { dims: [1n], dataType: 11, doubleData: [0.1] }, Float64Array.of(0.1)],
    ["complex64 as pairs", { dims: [1n], dataType: 14, floatData: [1, 2] }, Float32Array.of(1, 2)],
    [
      "int4, two in each",
      { dims: [3n], dataType: 22, int32Data: [0x21, 0x0f] },
      Uint8Array.of(0x21, 0x0f),
    ],
    [
      "strings",
      { dims: [2n], dataType: 8, stringData: [new TextEncoder().encode("é"), new Uint8Array()] },
      ["é", ""],
    ],
    [
      "raw",
      { dims: [1n], dataType: 7, rawData: Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255) },
      BigInt64Array.of(-1n),
    ],
    ["none", { dims: [0n], dataType: 1 }, new Float32Array(0)],
  ])("%s", async (_, proto, expected) => {
    const { tensor, data, again } = await elements(proto);
    expect(data).toEqual(expected);
    expect(tensor?.data).toEqual(expected);
    expect(again).toEqual({ ...proto, name: "w" });
  });

  it("that are long are read when asked for, however they are held", async () => {
    const values = Array.from({ length: 70_000 }, (_, i) => BigInt(i % 3) - 1n);
    const { tensor, data } = await elements({ dims: [70_000n], dataType: 7, int64Data: values });
    expect(tensor?.data).toBeUndefined();
    expect(data instanceof BigInt64Array && data.every((value, i) => value === values[i])).toBe(
      true,
    );
    const short = await elements({ dims: [70_001n], dataType: 7, int64Data: values }).catch(
      (error: unknown) => (isPareError(error) ? error.code : error),
    );
    expect(short).toBe("MODEL_SHAPE");
  });

  it("that are sparse are dense when read, and sparse when written", async () => {
    const sparse: Message<"SparseTensorProto"> = {
      values: { name: "s", dims: [2n], dataType: 1, floatData: [5, 7] },
      indices: { dims: [2n, 2n], dataType: 7, int64Data: [0n, 1n, 1n, 2n] },
      dims: [2n, 3n],
    };
    const graph = await open({
      sparseInitializer: [sparse],
      node: [node("Relu", ["s"], ["y"])],
      output: [{ name: "y" }],
    });
    const [id] = graph.main.initializers;
    expect(id === undefined ? undefined : await graph.constant(id)?.read()).toEqual(
      Float32Array.of(0, 5, 0, 0, 0, 7),
    );
    expect((await written(graph)).graph?.sparseInitializer).toEqual([sparse]);
  });

  it("that an input has as its default are no constants", async () => {
    const graph = await open({
      input: [x],
      initializer: [{ name: "x", dims: [2n], dataType: 1, floatData: [1, 2] }],
      node: [node("Relu", ["x"], ["y"])],
      output: [{ name: "y" }],
    });
    const [id] = graph.main.inputs;
    expect(id === undefined ? undefined : graph.constant(id)).toBeUndefined();
    expect(id === undefined ? undefined : graph.value(id).constant?.data).toEqual(
      Float32Array.of(1, 2),
    );
  });
});

describe("everything else a model says", () => {
  it("comes back", async () => {
    const more: Message<"ModelProto"> = {
      producerName: "someone",
      producerVersion: "",
      modelVersion: -1n,
      docString: "doc",
      opsetImport: [
        { domain: "ai.onnx", version: 17n },
        { domain: "custom", version: 3n },
      ],
      metadataProps: [{ key: "a", value: "b" }, { key: "empty" }],
      functions: [
        {
          name: "F",
          domain: "custom",
          overload: "o",
          input: ["a"],
          output: ["b"],
          attribute: ["k"],
          node: [
            node("Relu", ["a"], ["b"], { attribute: [{ name: "k", type: 2, refAttrName: "k" }] }),
          ],
          opsetImport: [{ version: 17n }],
        },
      ],
      trainingInfo: [{ algorithm: { name: "train" } }],
      configuration: [{ name: "two", numDevices: 2, device: ["a", "b"] }],
    };
    const graph: GraphProto = {
      name: "g",
      docString: "graph",
      input: [x],
      node: [
        node("F", ["x"], ["y"], {
          domain: "custom",
          overload: "o",
          docString: "node",
          metadataProps: [{ key: "k", value: "v" }],
          deviceConfigurations: [
            { configurationId: "two", shardingSpec: [{ tensorName: "x", device: [0n, 1n] }] },
          ],
          attribute: [
            { name: "f", f: 0.5, type: 1, docString: "half" },
            { name: "untyped", i: 3n },
            { name: "zero", type: 2 },
            { name: "another's", type: 2, i: 4n, refAttrName: "k" },
            { name: "not utf-8", type: 3, s: Uint8Array.of(255, 0) },
            { name: "empty", type: 7 },
            { name: "strings", type: 8, strings: [Uint8Array.of(97), Uint8Array.of(254)] },
            { name: "type", type: 13, tp: float32("N") },
            { name: "sparse", type: 11, sparseTensor: { dims: [3n] } },
            { name: "later", type: 99 },
          ],
        }),
      ],
      output: [{ name: "y", docString: "out" }],
      valueInfo: [{ name: "nothing has this name", type: float32(1) }],
      quantizationAnnotation: [
        { tensorName: "x", quantParameterTensorNames: [{ key: "SCALE_TENSOR", value: "s" }] },
      ],
      metadataProps: [{ key: "graph", value: "yes" }],
    };
    const opened = await open(graph, more);
    const [first] = opened.order();
    expect(first?.attributes.get("another's")).toEqual({ type: "int", value: 4n });
    expect(await written(opened)).toEqual({ irVersion: 8n, ...more, graph });
  });
});
