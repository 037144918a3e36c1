import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import type { Graph } from "../ir/index.js";
import {
  decodeModel,
  encodeModel,
  type Message,
  readMessage,
  writeMessage,
} from "../onnx/index.js";
import { withoutDescriptions } from "../onnx/descriptions.js";
import { inferNode } from "../ops/index.js";
import { simplify } from "./simplify.js";

const docs = { docString: "File /home/someone/export.py" } as const;
const props = {
  metadataProps: [
    { key: "namespace", value: "/home/someone" },
    { key: "pkg.torch.onnx.stack_trace", value: "/home/someone" },
  ],
};
const noise = { ...docs, ...props };
const float = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2n }] } } };
const weight = (name: string): Message<"TensorProto"> => ({
  name,
  dims: [2n],
  dataType: 1,
  rawData: new Uint8Array(Float32Array.of(1, 2).buffer),
  ...noise,
});

/** y = x + w, and an If whose branches hold a node each: described wherever ONNX has room for it. */
const model: Message<"ModelProto"> = {
  irVersion: 11n,
  docString: "Tells cats from dogs",
  producerName: "pytorch",
  opsetImport: [{ version: 21n }],
  metadataProps: [
    { key: "license", value: "MIT" },
    { key: "author", value: "Ada" },
    { key: "pkg.torch.export.ExportedProgram.graph_signature", value: "/home/someone" },
  ],
  functions: [
    {
      name: "unused",
      domain: "own",
      node: [{ opType: "Relu", input: ["a"], output: ["b"], ...noise }],
      valueInfo: [{ name: "b", type: float, ...noise }],
      input: ["a"],
      output: ["b"],
      opsetImport: [{ version: 21n }],
      ...noise,
    },
  ],
  graph: {
    name: "main",
    ...noise,
    input: [
      {
        name: "x",
        type: float,
        docString: "RGB, 0 to 1",
        metadataProps: [
          { key: "unit", value: "lux" },
          { key: "pkg.torch.export.graph_signature.InputSpec.kind", value: "/home/someone" },
        ],
      },
      { name: "c", type: { tensorType: { elemType: 9, shape: {} } } },
    ],
    output: [{ name: "y", type: float, docString: "scores" }],
    initializer: [weight("w")],
    valueInfo: [{ name: "sum", type: float, ...noise }],
    node: [
      { name: "add", opType: "Add", input: ["x", "w"], output: ["sum"], ...noise },
      {
        name: "if",
        opType: "If",
        input: ["c"],
        output: ["y"],
        ...noise,
        attribute: ["then_branch", "else_branch"].map((name, index) => ({
          name,
          type: 5,
          ...docs,
          g: {
            name,
            ...noise,
            output: [{ name: `${name}_y`, type: float, ...noise }],
            initializer: [weight(`${name}_w`)],
            node: [
              {
                opType: index === 0 ? "Mul" : "Sub",
                input: ["sum", `${name}_w`],
                output: [`${name}_y`],
                ...noise,
              },
            ],
          },
        })),
      },
    ],
  },
};

async function open(): Promise<Graph> {
  const proto = byteSource(await writeMessage("ModelProto", model));
  return decodeModel({ proto }, { infer: inferNode });
}

async function simplified(options: unknown): Promise<Graph> {
  const graph = await open();
  await simplify.create(simplify.parse(options)).run(graph, {});
  return graph;
}

async function written(graph: Graph): Promise<{ text: string; message: Message<"ModelProto"> }> {
  const { proto } = await encodeModel(graph);
  const message = await readMessage("ModelProto", byteSource(proto));
  return { text: new TextDecoder().decode(proto), message };
}

describe("what exporters write about nodes and values", () => {
  it("is written back where nobody simplifies", async () => {
    const { message } = await written(await open());
    expect(message).toEqual(model);
  });

  it("goes when the model is simplified, wherever it stands", async () => {
    const { text, message } = await written(await simplified(undefined));
    expect(text).not.toContain("/home/someone");
    expect(message.graph?.node?.map(({ opType }) => opType)).toEqual(["Add", "If"]);
  });

  it("goes from functions too, and what was read stays as it was", () => {
    const before = structuredClone(model);
    const { model: bare, dropped } = withoutDescriptions(model);
    expect(
      JSON.stringify(bare.functions, (_, part: unknown) => (typeof part === "bigint" ? "" : part)),
    ).not.toContain("/home/someone");
    expect(dropped).toBeGreaterThan(10);
    expect(model).toEqual(before);
  });

  it("leaves what the model says of itself, and of its inputs and outputs", async () => {
    const { message } = await written(await simplified(undefined));
    expect(message).toMatchObject({
      docString: "Tells cats from dogs",
      metadataProps: [
        { key: "license", value: "MIT" },
        { key: "author", value: "Ada" },
      ],
      graph: {
        input: [
          { name: "x", docString: "RGB, 0 to 1", metadataProps: [{ key: "unit", value: "lux" }] },
          { name: "c" },
        ],
        output: [{ name: "y", docString: "scores" }],
      },
    });
  });

  it("stays where that is asked for", async () => {
    const { message } = await written(await simplified({ keepMetadata: true }));
    expect(message.graph?.node?.[0]).toMatchObject(noise);
    expect(message.metadataProps).toEqual(model.metadataProps);
  });

  it("is no change the second time", async () => {
    const graph = await simplified(undefined);
    const again = await decodeModel(
      { proto: byteSource((await encodeModel(graph)).proto) },
      { infer: inferNode },
    );
    const { changes } = again;
    await simplify.create(simplify.parse(undefined)).run(again, {});
    expect(again.changes).toBe(changes);
  });
});
