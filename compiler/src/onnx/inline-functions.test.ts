import { byteSource, onnxArtifact } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { type Graph, verifyGraph } from "../ir/index.js";
import { evaluateGraph, inferNode } from "../ops/index.js";
import { inlineFunctions } from "./inline-functions.js";
import { decodeModel, type Message, writeMessage } from "./index.js";

type NodeProto = Message<"NodeProto">;
type FunctionProto = Message<"FunctionProto">;

const float32: Message<"TypeProto"> = {
  tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2n }] } },
};
const named = (...names: readonly string[]) => names.map((name) => ({ name, type: float32 }));
const node = (
  opType: string,
  input: string[],
  output: string[],
  more: NodeProto = {},
): NodeProto => ({ opType, input, output, ...more });
const call = (of: string, input: string[], output: string[], more: NodeProto = {}): NodeProto =>
  node(of, input, output, { domain: "own", ...more });
const fn = (
  name: string,
  input: string[],
  output: string[],
  nodes: NodeProto[],
  more: FunctionProto = {},
): FunctionProto => ({
  name,
  domain: "own",
  input,
  output,
  node: nodes,
  opsetImport: [{ version: 17n }, { domain: "own", version: 1n }],
  ...more,
});

function modelOf(
  nodes: NodeProto[],
  outputs: readonly string[],
  functions: FunctionProto[],
): Message<"ModelProto"> {
  return {
    irVersion: 8n,
    opsetImport: [{ version: 17n }, { domain: "own", version: 1n }],
    graph: { name: "g", node: nodes, input: named("x"), output: named(...outputs) },
    functions,
  };
}

async function inlined(model: Message<"ModelProto">): Promise<Graph> {
  const proto = byteSource(await writeMessage("ModelProto", model));
  const graph = await decodeModel({ proto }, { infer: inferNode, inline: true });
  verifyGraph(graph);
  return graph;
}

const x = { type: "float32", dims: [2], data: Float32Array.of(-3, 2) } as const;

/** Says the same as the file on the engine, and no call is left in it. */
async function expectAlike(model: Message<"ModelProto">): Promise<Graph> {
  const graph = await inlined(model);
  expect([...graph.allNodes()].filter(({ domain }) => domain === "own")).toEqual([]);
  expect(graph.header.functions.size).toBe(0);
  const session = await cpu().load(onnxArtifact(await writeMessage("ModelProto", model)));
  const expected = await session.run({ x });
  await session.dispose();
  const found = await evaluateGraph(graph, { x });
  for (const [name, { data }] of Object.entries(expected))
    [...data].forEach((value, at) =>
      expect(Number(found[name]?.data[at])).toBeCloseTo(Number(value), 6),
    );
  return graph;
}

const square = fn("Square", ["a"], ["b"], [node("Mul", ["a", "a"], ["b"])]);

describe("a model's functions", () => {
  it("stand where they are called, once for each call, with names of their own", async () => {
    const shifted = fn(
      "Shifted",
      ["a"],
      ["b"],
      [node("Neg", ["a"], ["t"]), call("Square", ["t"], ["u"]), node("Sub", ["u", "a"], ["b"])],
    );
    const nodes = [
      call("Shifted", ["x"], ["t"]),
      call("Shifted", ["t"], ["u"], { name: "second" }),
      call("Square", ["u"], ["y"]),
    ];
    const graph = await expectAlike(modelOf(nodes, ["y"], [shifted, square]));
    expect([...graph.allNodes()]).toHaveLength(7);
  });

  it("give what they take, and one thing twice", async () => {
    const both = fn("Both", ["a"], ["a", "b", "b"], [node("Neg", ["a"], ["b"])]);
    // onnxruntime takes no such function.
    const graph = await inlined(
      modelOf([call("Both", ["x"], ["y", "z", "w"])], ["y", "z", "w"], [both]),
    );
    const { y, z, w } = await evaluateGraph(graph, { x });
    expect(y?.data).toEqual(x.data);
    expect([z?.data, w?.data]).toEqual([x.data.map((one) => -one), x.data.map((one) => -one)]);
  });

  it("have attributes that a call gives, or their own", async () => {
    const ref = (name: string, of: string): Message<"AttributeProto"> => ({ name, type: 1, refAttrName: of }); // prettier-ignore
    const leaky = fn(
      "Leaky",
      ["a"],
      ["b"],
      [
        node("LeakyRelu", ["a"], ["t"], { attribute: [ref("alpha", "slope")] }),
        node("Elu", ["t"], ["b"], { attribute: [ref("alpha", "none")] }),
      ],
      { attribute: ["none"], attributeProto: [{ name: "slope", type: 1, f: 0.5 }] },
    );
    const given = { attribute: [{ name: "slope", type: 1, f: 0.125 }] };
    const nodes = [call("Leaky", ["x"], ["y"]), call("Leaky", ["x"], ["z"], given)];
    await expectAlike(modelOf(nodes, ["y", "z"], [leaky]));
  });

  it("have bodies that see what is around them, and names that are called otherwise elsewhere", async () => {
    const branch = (op: string): Message<"GraphProto"> => ({
      name: op,
      node: [node(op, ["a"], ["t"]), call("Square", ["t"], ["r"])],
      output: [{ name: "r" }],
    });
    const either = fn(
      "Either",
      ["a"],
      ["r"],
      [
        node("ReduceSum", ["a"], ["s"], { attribute: [{ name: "keepdims", type: 2, i: 0n }] }),
        node("Constant", [], ["zero"], { attribute: [{ name: "value_float", type: 1, f: 0 }] }),
        node("Less", ["s", "zero"], ["c"]),
        node("If", ["c"], ["r"], {
          attribute: [
            { name: "then_branch", type: 5, g: branch("Neg") },
            { name: "else_branch", type: 5, g: branch("Abs") },
          ],
        }),
      ],
    );
    const nodes = [call("Either", ["x"], ["r"]), node("Neg", ["r"], ["t"]), call("Either", ["t"], ["y"])]; // prettier-ignore
    await expectAlike(modelOf(nodes, ["y"], [either, square]));
  });

  it("may be called without what they need not", async () => {
    const clip = fn("Within", ["a", "low", "high"], ["b"], [node("Clip", ["a", "low", "high"], ["b"])]); // prettier-ignore
    const zero = node("Constant", [], ["zero"], {
      attribute: [{ name: "value_float", type: 1, f: 0 }],
    });
    await expectAlike(modelOf([zero, call("Within", ["x", "zero"], ["y"])], ["y"], [clip]));
  });

  it.each([
    ["calls itself", [fn("F", ["a"], ["b"], [call("F", ["a"], ["b"])])]],
    ["calls itself by another", [fn("F", ["a"], ["b"], [call("G", ["a"], ["b"])]), fn("G", ["a"], ["b"], [call("F", ["a"], ["b"])])]], // prettier-ignore
    ["is written for another opset", [fn("F", ["a"], ["b"], [node("Neg", ["a"], ["b"])], { opsetImport: [{ version: 18n }] })]], // prettier-ignore
  ])("stay functions: one that %s", async (_, functions) => {
    const graph = await inlined(modelOf([call("F", ["x"], ["y"])], ["y"], functions));
    expect([...graph.allNodes()].map(({ op }) => op)).toEqual(["F"]);
    expect(graph.header.functions.size).toBe(functions.length);
  });

  it("stay functions where they would be more nodes than anyone waits for", async () => {
    const doubling = Array.from({ length: 40 }, (_, at) =>
      fn(
        `F${at}`,
        ["a"],
        ["b"],
        [call(`F${at + 1}`, ["a"], ["t"]), call(`F${at + 1}`, ["t"], ["b"])],
      ),
    );
    const last = fn("F40", ["a"], ["b"], [node("Neg", ["a"], ["b"])]);
    const deep = Array.from({ length: 3000 }, (_, at) =>
      fn(`D${at}`, ["a"], ["b"], [call(`D${at + 1}`, ["a"], ["b"])]),
    );
    // Its last gives what it takes, and has no node that could be counted.
    const empty = doubling.map((one) => ({ ...one, output: ["b"] }));
    for (const [name, functions] of [
      ["F0", [...empty, fn("F40", ["b"], ["b"], [])]],
      ["F0", [...doubling, last]],
      ["D0", [...deep, fn("D3000", ["a"], ["b"], [node("Neg", ["a"], ["b"])])]],
    ] as const) {
      const graph = await inlined(modelOf([call(name, ["x"], ["y"])], ["y"], [...functions]));
      expect([...graph.allNodes()].map(({ domain }) => domain)).toEqual(["own"]);
    }
  });

  it("stay functions where bodies in them list more than anyone waits for", async () => {
    const listing = (branch: Message<"GraphProto">) =>
      fn("F", ["a"], ["b"], [
        node("If", ["a"], ["b"], { attribute: [{ name: "then_branch", type: 5, g: branch }] }),
      ]); // prettier-ignore
    const many = Array.from({ length: 1000 }, () => ({}));
    const calls = Array.from({ length: 300 }, (_, at) => call("F", ["x"], [`y${at}`]));
    for (const branch of [{ initializer: many }, { input: many }, { sparseInitializer: many }]) {
      const model = modelOf(calls, ["y0"], [listing(branch)]);
      expect(inlineFunctions(model)).toBe(model);
    }
  });

  it("nest no deeper where chains of calls end in others that are known", async () => {
    const [chains, links] = [20, 150];
    const functions = Array.from({ length: chains }, (_, chain) =>
      Array.from({ length: links }, (__, link) => {
        const [next, other] = [`C${chain}_${link + 1}`, `C${chain - 1}_0`];
        const isLast = link === links - 1;
        const inner = !isLast
          ? call(next, ["a"], ["b"])
          : chain > 0
            ? call(other, ["a"], ["b"])
            : node("Neg", ["a"], ["b"]);
        return fn(`C${chain}_${link}`, ["a"], ["b"], [inner]);
      }),
    ).flat();
    const heads = Array.from({ length: chains }, (_, chain) => call(`C${chain}_0`, ["x"], [`y${chain}`])); // prettier-ignore
    const { graph, functions: left } = inlineFunctions(modelOf(heads, ["y0"], functions));
    expect(left).toHaveLength(functions.length);
    // A call is in the name of what was called in it.
    const depths = (graph?.node ?? []).map(({ name = "" }) => name.split("/").length);
    expect(Math.max(...depths)).toBeLessThanOrEqual(201);
  });

  it("stay functions where others before them are written for another opset", async () => {
    const softmax = (name: string, version: bigint) =>
      fn(name, ["a"], ["b"], [node("Softmax", ["a"], ["b"])], { opsetImport: [{ version }] });
    const nodes = [call("Old", ["x"], ["t"]), call("New", ["t"], ["y"]), call("Older", ["t"], ["z"])]; // prettier-ignore
    const model = {
      ...modelOf(nodes, ["y", "z"], [softmax("Old", 11n), softmax("New", 18n), softmax("Older", 11n)]),
      opsetImport: [{ domain: "own", version: 1n }],
    }; // prettier-ignore
    const { graph, opsetImport } = inlineFunctions(model);
    expect(graph?.node?.map(({ opType }) => opType)).toEqual(["Softmax", "New", "Softmax"]);
    expect(opsetImport).toContainEqual({ version: 11n });
    expect(opsetImport).not.toContainEqual({ version: 18n });
  });

  it("give no names that are long because theirs are", async () => {
    const long = "a".repeat(10_000);
    const wordy = fn(
      "F",
      [long],
      ["b"],
      [node("Neg", [long], [`${long}t`], { name: long }), node("Neg", [`${long}t`], ["b"])],
    );
    const graph = await expectAlike(
      modelOf([call("F", ["x"], ["t"], { name: long }), call("F", ["t"], ["y"])], ["y"], [wordy]),
    );
    const names = [...graph.allValues(), ...graph.allNodes()].map(({ name }) => name.length);
    expect(Math.max(...names)).toBeLessThan(500);
  });

  it("see nothing of what is around their calls", async () => {
    const peek = fn("Peek", ["a"], ["b"], [node("Add", ["a", "x"], ["b"])]);
    const branch = { name: "g", output: [{ name: "x" }] };
    const look = fn(
      "Peek",
      ["a"],
      ["b"],
      [node("If", ["a"], ["b"], { attribute: [{ name: "then_branch", type: 5, g: branch }] })],
    );
    for (const one of [peek, look]) {
      const model = modelOf([node("Neg", ["x"], ["t"]), call("Peek", ["t"], ["y"])], ["y"], [one]);
      await expect(inlined(model)).rejects.toMatchObject({ code: "MODEL_NAME" });
    }
  });
});
