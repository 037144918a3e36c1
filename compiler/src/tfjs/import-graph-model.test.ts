import { describe, expect, it } from "vitest";
import { importModel } from "../import-model.js";
import { onEngine } from "../rules/rule-case.test.support.js";
import { typeText } from "../ir/index.js";
import {
  attr,
  expectAlike,
  fed,
  floats,
  graphOfModel,
  modelJson,
  type ModelJson,
  sourceOf,
  type TensorflowModel,
} from "./tensorflow-model.test.support.js";

const relu = { op: "Relu", inputs: ["x"] };
const small: TensorflowModel = { inputs: { x: floats([2, 3]) }, nodes: [relu] };

/** What a model is refused with, whose JSON was changed. */
async function refusal(
  model: TensorflowModel,
  change: (json: ModelJson) => unknown,
): Promise<unknown> {
  const { json, weights } = modelJson(model);
  const changed = change(json) ?? json;
  return importModel(sourceOf(changed, { "weights.bin": weights })).then(
    () => "read",
    (error: unknown) => error,
  );
}

async function interfaceOf(model: TensorflowModel, change: (json: ModelJson) => void = () => {}) {
  const { json, weights } = modelJson(model);
  change(json);
  const graph = await importModel(sourceOf(json, { "weights.bin": weights }));
  const side = (ids: Iterable<Parameters<typeof graph.value>[0]>) =>
    [...ids].map((id) => `${graph.value(id).name}: ${typeText(graph.value(id).type)}`);
  return { inputs: side(graph.main.inputs), outputs: side(graph.main.outputs) };
}

describe("what a graph model takes and gives", () => {
  it("is called what its signature calls it", async () => {
    const model: TensorflowModel = {
      inputs: { x: { ...floats([2, 3]), free: [-1, 3] } },
      nodes: [
        { name: "a", op: "Relu", inputs: ["x"] },
        { name: "b", op: "Neg", inputs: ["a"] },
      ],
      outputs: { scores: "b", "features:0": "a" },
    };
    expect(await interfaceOf(model)).toEqual({
      inputs: ["x: float32[batch, 3]"],
      outputs: ["scores: float32[batch, 3]", "features: float32[batch, 3]"],
    });
  });

  it("is what is fed and what nobody reads where there is no signature", async () => {
    const model: TensorflowModel = {
      ...small,
      nodes: [
        { name: "a", op: "Relu", inputs: ["x"] },
        { name: "b", op: "Neg", inputs: ["a", "^c"] },
        { name: "c", op: "Abs", inputs: ["a"] },
      ],
    };
    const named = await interfaceOf(model, (json) => delete json.signature);
    expect(named).toEqual({
      inputs: ["x: float32[2, 3]"],
      outputs: ["b: float32[2, 3]", "c: float32[2, 3]"],
    });
  });

  it("has the sizes that its signature says where a placeholder says none", async () => {
    const silent = (json: ModelJson, shape: object): void => {
      json.modelTopology.node = json.modelTopology.node.map((node) =>
        "op" in node && node.op === "Placeholder"
          ? { ...node, attr: { shape: { shape: { unknownRank: true } } } }
          : node,
      );
      const input = { name: "x:0", dtype: "DT_FLOAT", tensorShape: shape };
      json.signature = { ...json.signature, inputs: { x: input } };
    };
    const dims = { dim: [{ size: "-1" }, { size: "3" }] };
    const said = await interfaceOf(small, (json) => silent(json, dims));
    expect(said.inputs).toEqual(["x: float32[batch, 3]"]);
    expect(await refusal(small, (json) => silent(json, { dim: "3" }))).toMatchObject({
      code: "MODEL_INVALID",
      where: "x",
    });
  });

  it("has free sizes that are called by what they mean", async () => {
    const image = { ...floats([1, 4, 6, 3]), free: [-1, -1, -1, 3] };
    const one = await interfaceOf({
      inputs: { image },
      nodes: [{ op: "Relu", inputs: ["image"] }],
    });
    expect(one.inputs).toEqual(["image: float32[batch, height, width, 3]"]);
    const two = await interfaceOf({
      inputs: { image, other: image },
      nodes: [{ op: "Relu", inputs: ["image"] }],
    });
    expect(two.inputs).toEqual([
      "image: float32[batch, image_height, image_width, 3]",
      "other: float32[batch, other_height, other_width, 3]",
    ]);
  });

  it("may be the same tensor several times, or an input", async () => {
    await expectAlike({ ...small, outputs: { a: "node", b: "node", c: "x" } });
  });
});

describe("a graph model", () => {
  it("may list its nodes in any order, with names like anything", async () => {
    const graph = await graphOfModel({
      inputs: { constructor: floats([2, 3]) },
      weights: { __proto__x: floats([3], [1, 2, 3]) },
      nodes: [
        { name: "toString", op: "Add", inputs: ["valueOf", "__proto__x"] },
        { name: "valueOf", op: "Neg", inputs: ["__proto__"] },
        { name: "__proto__", op: "Relu", inputs: ["constructor"] },
      ],
      outputs: { hasOwnProperty: "toString" },
    });
    const feeds = fed({ constructor: floats([2, 3], [-1, 2, -3, 4, -5, 6]) });
    const [made] = Object.values(await onEngine(graph, feeds));
    expect([...(made?.data ?? [])]).toEqual([1, 0, 3, -3, 2, -3]);
  });

  it("is read of nodes that its outputs need alone", async () => {
    const graph = await graphOfModel({
      ...small,
      nodes: [{ name: "table", op: "HashTableV2", inputs: [] }, relu],
    });
    expect([...graph.allNodes()].map(({ op }) => op)).toEqual(["Relu", "Identity"]);
  });

  it("names every operator that is not read at once", async () => {
    const error = await refusal(
      {
        ...small,
        nodes: [
          { name: "a", op: "FFT", inputs: ["x"] },
          { name: "b", op: "FFT", inputs: ["a"] },
          { name: "c", op: "Switch", inputs: ["b"] },
          { op: "Relu", inputs: ["c"] },
        ],
      },
      () => undefined,
    );
    expect(error).toMatchObject({
      code: "UNSUPPORTED_OP",
      message: 'Operators of TensorFlow that are not read: Switch ("c"), FFT ("b" and 1 more).',
    });
  });
});

describe("what is no graph model", () => {
  const node = (json: ModelJson, change: object): unknown =>
    Object.assign(json.modelTopology.node.at(-1) ?? {}, change) && undefined;

  it.each<[string, string, (json: ModelJson) => unknown]>([
    ["no object", "MODEL_INVALID", () => [1]],
    ["no topology", "MODEL_INVALID", () => ({})],
    ["no nodes", "MODEL_INVALID", (json) => ({ ...json, modelTopology: {} })],
    [
      "nodes that are no objects",
      "MODEL_INVALID",
      (json) => ({ ...json, modelTopology: { node: [null] } }),
    ],
    ["a node without a name", "MODEL_INVALID", (json) => node(json, { name: 3 })],
    ["inputs that are no texts", "MODEL_INVALID", (json) => node(json, { input: [3] })],
    ["no attributes but a list", "MODEL_INVALID", (json) => node(json, { attr: [] })],
    ["two nodes of one name", "MODEL_NAME", (json) => node(json, { name: "x" })],
    ["an input that is not there", "MODEL_NAME", (json) => node(json, { input: ["y"] })],
    ["an output that is not there", "MODEL_NAME", (json) => node(json, { input: ["x:1"] })],
    ["a node that reads itself", "MODEL_CYCLE", (json) => node(json, { input: ["node"] })],
    ["a node that reads nothing", "MODEL_INVALID", (json) => node(json, { input: [] })],
    [
      "weights that are not there",
      "MODEL_INVALID",
      (json) => ({
        ...json,
        modelTopology: {
          node: [
            ...json.modelTopology.node,
            { name: "w", op: "Const" },
            { name: "z", op: "Add", input: ["x", "w"] },
          ],
        },
        signature: { outputs: { z: { name: "z" } } },
      }),
    ],
    [
      "an input that is no placeholder",
      "MODEL_INVALID",
      (json) => ({ ...json, signature: { inputs: { node: { name: "node" } }, outputs: {} } }),
    ],
    [
      "a size that is no number",
      "MODEL_INVALID",
      (json) => {
        Object.assign(json.modelTopology.node[0] ?? {}, {
          attr: { shape: { shape: { dim: [{ size: "many" }] } } },
        });
      },
    ],
  ])("%s", async (_, code, change) => {
    expect(await refusal(small, change)).toMatchObject({ name: "PareError", code });
  });

  it("a layers model", async () => {
    const error = await refusal(small, () => ({
      format: "layers-model",
      modelTopology: { model_config: {} },
    }));
    expect(error).toMatchObject({ code: "MODEL_INVALID", where: "model.json" });
  });

  it("attributes of another kind", async () => {
    const softmax = (attributes: Readonly<Record<string, object>>): TensorflowModel => ({
      ...small,
      nodes: [{ op: "Cumsum", inputs: ["x", "x"], attr: attributes }],
    });
    expect(await refusal(softmax({ exclusive: attr.text("yes") }), () => undefined)).toMatchObject({
      code: "MODEL_INVALID",
      where: "node",
    });
  });

  it("more outputs than any node has", async () => {
    const parts = {
      inputs: { x: floats([2, 3]) },
      weights: { axis: { dtype: "int32", dims: [], data: [0] } },
      nodes: [{ op: "Split", inputs: ["axis", "x"], attr: { num_split: attr.int(2 ** 31) } }],
    } as const;
    expect(await refusal(parts, () => undefined)).toMatchObject({ code: "MODEL_INVALID" });
  });

  it("a chain of many nodes, which is read", async () => {
    const count = 20_000;
    const nodes = Array.from({ length: count }, (_, at) => ({
      name: `n${at}`,
      op: "Identity",
      inputs: [at === 0 ? "x" : `n${at - 1}`],
    }));
    expect(
      await refusal(
        { ...small, nodes: nodes.reverse(), outputs: { y: `n${count - 1}` } },
        () => undefined,
      ),
    ).toBe("read");
  });
});
