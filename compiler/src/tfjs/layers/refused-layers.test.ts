import { layers, sequential } from "@tensorflow/tfjs-layers";
import { describe, expect, it } from "vitest";
import { sourceOf } from "../tensorflow-model.test.support.js";
import { importModel } from "../../import-model.js";
import { graphOfSaved, layerIn, layersIn, saved } from "./layers-model.test.support.js";

const plain = () =>
  saved(
    sequential({
      layers: [
        layers.dense({ units: 4, inputShape: [3], name: "one" }),
        layers.dense({ units: 2, name: "two" }),
      ],
    }),
  );

/** A model of layers of one input each: what they read, by name; the weights are nobody's. */
function network(
  nodes: Readonly<Record<string, readonly string[]>>,
  outputs: unknown = [["end", 0, 0]],
) {
  const listed = Object.entries(nodes).map(([name, inputs]) => ({
    name,
    class_name: inputs.length > 1 ? "Add" : "Activation",
    config: { name, activation: "relu" },
    inbound_nodes: [inputs.map((from) => [from, 0, 0, {}])],
  }));
  const first = {
    name: "x",
    class_name: "InputLayer",
    config: { name: "x", batch_input_shape: [null, 3], dtype: "float32" },
    inbound_nodes: [],
  };
  return topology({
    name: "m",
    layers: [first, ...listed],
    input_layers: [["x", 0, 0]],
    output_layers: outputs,
  });
}

function topology(config: object, kind = "Functional") {
  return {
    format: "layers-model",
    modelTopology: { class_name: kind, config },
    weightsManifest: [],
  };
}

const read = (json: unknown) => importModel(sourceOf(json));

describe("a model that is not read", () => {
  it("names all layers that are not known, at once", async () => {
    const file = await plain();
    const unknown = (kind: string, name: string) => ({ class_name: kind, config: { name } });
    const inner = { name: "inner", layers: [unknown("Rotary", "deep")] };
    layersIn(file).push(
      unknown("Lambda", "l1"),
      unknown("Lambda", "l2"),
      unknown("__proto__", "p"),
      unknown("constructor", "c"),
      { class_name: "Sequential", config: inner },
      { class_name: "TimeDistributed", config: { name: "t", layer: unknown("Odd", "o") } },
    );
    await expect(graphOfSaved(file)).rejects.toMatchObject({
      code: "UNSUPPORTED_OP",
      where: "l1",
      message:
        'Layers that are not read: Lambda ("l1" and 1 more), __proto__ ("p"), constructor ("c"), Rotary ("deep"), Odd ("o").',
    });
  });

  it.each([
    ["no object", "text", "MODEL_INVALID"],
    ["a layer", { class_name: "Dense", config: { name: "d" } }, "MODEL_INVALID"],
    ["no class", { config: { name: "d", layers: [] } }, "MODEL_INVALID"],
    ["no configuration", { class_name: "Sequential" }, "MODEL_INVALID"],
    ["no layers", { class_name: "Sequential", config: { layers: [] } }, "MODEL_INVALID"],
    ["layers that are no list", { class_name: "Sequential", config: { layers: {} } }, "MODEL_INVALID"],
    ["layers that are none", { class_name: "Sequential", config: [null, 7] }, "MODEL_INVALID"],
    ["no outputs", { class_name: "Functional", config: { name: "m", layers: [], input_layers: [], output_layers: [] } }, "MODEL_INVALID"],
    ["ends that are no lists", { class_name: "Functional", config: { name: "m", layers: [], input_layers: 5, output_layers: 7 } }, "MODEL_INVALID"],
  ])("is %s", async (_, config, code) => {
    const json = { format: "layers-model", modelTopology: { model_config: config } };
    await expect(read(json)).rejects.toMatchObject({ code });
  }); // prettier-ignore

  it.each([
    [{ end: ["a"], a: ["end"] }, "MODEL_CYCLE"],
    [{ end: ["end"] }, "MODEL_CYCLE"],
    [{ end: ["nowhere"] }, "MODEL_NAME"],
    [{ end: ["__proto__"] }, "MODEL_NAME"],
    [{ end: ["constructor"] }, "MODEL_NAME"],
    [{ other: ["x"] }, "MODEL_NAME"],
  ])("reads in %j", async (nodes, code) => {
    await expect(read(network(nodes))).rejects.toMatchObject({ code });
  });

  it.each([
    [[["end", 1, 0]], "MODEL_NAME"],
    [[["end", 0, 1]], "MODEL_NAME"],
    [[["end", -1, 0]], "MODEL_INVALID"],
    [[["end", 0.5, 0]], "MODEL_INVALID"],
    [[["end", "0", "0"]], "MODEL_INVALID"],
    [[[["end"], 0, 0]], "MODEL_INVALID"],
    [[null], "MODEL_INVALID"],
  ])("gives %j", async (outputs, code) => {
    await expect(read(network({ end: ["x"] }, outputs))).rejects.toMatchObject({ code });
  });

  it("has layers of one name", async () => {
    const file = await plain();
    layerIn(file, 1)["name"] = "one";
    await expect(graphOfSaved(file)).rejects.toMatchObject({ code: "MODEL_NAME", where: "one" });
  });

  it("lacks a weight, or has one of other axes", async () => {
    const file = await plain();
    const [group] = file.json.weightsManifest;
    const bias = group?.weights.find(({ name }) => name === "two/bias");
    if (bias === undefined) throw new Error("no bias");
    bias.shape = [1, 2];
    await expect(graphOfSaved(file)).rejects.toMatchObject({ code: "MODEL_INVALID", where: "two" });
    bias.name = "two/other";
    await expect(graphOfSaved(file)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      where: "two",
      message: expect.stringContaining('"two/bias"'),
    });
  });

  it("has two layers that take one weight", async () => {
    const shared = (name: string) => ({
      class_name: "Sequential",
      config: {
        name,
        layers: [{ class_name: "Dense", config: { name: "d", use_bias: false, units: 3 } }],
      },
    });
    const taken = {
      class_name: "InputLayer",
      config: { name: "x", batch_input_shape: [null, 3], dtype: "float32" },
    };
    const json = topology({ name: "m", layers: [taken, shared("a"), shared("b")] }, "Sequential");
    const weights = [{ name: "d/kernel", dtype: "float32", shape: [3, 3] }];
    const files = { "w.bin": new Uint8Array(36) };
    const manifest = [{ paths: ["w.bin"], weights }];
    await expect(
      importModel(sourceOf({ ...json, weightsManifest: manifest }, files)),
    ).rejects.toMatchObject({ code: "MODEL_NAME", where: "d/kernel" });
  });

  it.each([
    ["units", { batch_input_shape: "3" }],
    ["sizes", { batch_input_shape: [null, -3] }],
    ["sizes", { batch_input_shape: [null, 1e300] }],
    ["sizes", { batch_input_shape: [null, {}] }],
    ["axes", { batch_input_shape: Array.from({ length: 100_000 }, () => 1) }],
    ["no shape", { batch_input_shape: null }],
    ["a type", { dtype: "complex64" }],
    ["a type", { dtype: "__proto__" }],
    ["flags", { use_bias: "yes" }],
    ["an activation", { activation: 7 }],
    ["an activation", { activation: { class_name: 7 } }],
  ])("says %s of another kind", async (_, fields) => {
    const file = await plain();
    Object.assign(layerIn(file, 0), fields);
    await expect(graphOfSaved(file)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      where: expect.stringMatching(/^one/),
    });
  });

  it.each([
    ["Conv2D", { kernel_size: 3, strides: 0 }],
    ["Conv2D", { kernel_size: 3, strides: [1, 2, 3] }],
    ["Conv2D", { kernel_size: 3, strides: [1e12, 1] }],
    ["MaxPooling2D", { pool_size: -2 }],
    ["MaxPooling2D", { pool_size: { 0: 2 } }],
    ["UpSampling2D", { size: [2, 0] }],
    ["ZeroPadding2D", { padding: [[1, 2, 3], "1"] }],
    ["ZeroPadding2D", { padding: -1 }],
    ["Cropping2D", { cropping: [1] }],
    ["Reshape", { target_shape: [-1, -1] }],
    ["Reshape", { target_shape: "4" }],
    ["Reshape", { target_shape: Array.from({ length: 100_000 }, () => 1) }],
    ["Permute", { dims: [1, 1, 2] }],
    ["Permute", { dims: [3, 2] }],
    ["BatchNormalization", { axis: 9 }],
    ["CenterCrop", { height: 0, width: 4 }],
    ["TimeDistributed", {}],
    ["Bidirectional", {}],
    ["TimeDistributed", { layer: 7 }],
  ])("has a %s of %j", async (kind, fields) => {
    const layer = { class_name: kind, config: { name: "l", ...fields } };
    const taken = {
      class_name: "InputLayer",
      config: { name: "x", batch_input_shape: [null, 8, 8, 3], dtype: "float32" },
    };
    const json = topology({ name: "m", layers: [taken, layer] }, "Sequential");
    const kernel = { name: "l/kernel", dtype: "float32", shape: [3, 3, 3, 2] };
    const mean = { name: "l/moving_mean", dtype: "float32", shape: [3] };
    const manifest = [{ paths: ["w.bin"], weights: [kernel, mean] }];
    const files = { "w.bin": new Uint8Array(4 * 57) };
    await expect(
      importModel(sourceOf({ ...json, weightsManifest: manifest }, files)),
    ).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });
});

describe("a model without end", () => {
  const relu = { class_name: "Activation", config: { name: "r", activation: "relu" } };
  const nested = (depth: number) => {
    let inner: object = relu;
    for (let level = 0; level < depth; level += 1)
      inner = { class_name: "Sequential", config: { name: `s${level}`, layers: [inner] } };
    const taken = {
      class_name: "InputLayer",
      config: { name: "x", batch_input_shape: [null, 3], dtype: "float32" },
    };
    return topology({ name: "m", layers: [taken, inner] }, "Sequential");
  };

  it("of models within models is refused, and read where there are a few", async () => {
    await expect(read(nested(800))).rejects.toMatchObject({ code: "MODEL_LIMIT" });
    await expect(read(nested(66))).rejects.toMatchObject({ code: "MODEL_LIMIT" });
    await read(nested(30));
  });

  it("of layers that wrap layers is refused", async () => {
    let layer: object = relu;
    for (let level = 0; level < 800; level += 1)
      layer = { class_name: "TimeDistributed", config: { name: `t${level}`, layer } };
    const json = topology({ name: "m", layers: [layer] }, "Sequential");
    await expect(read(json)).rejects.toMatchObject({ code: "MODEL_LIMIT" });
  });

  it("of models that call models twice is refused", async () => {
    const taken = (name: string) => ({
      name,
      class_name: "InputLayer",
      config: { name, batch_input_shape: [null, 3], dtype: "float32" },
      inbound_nodes: [],
    });
    let inner: Record<string, unknown> = { ...relu, name: "r" };
    for (let level = 0; level < 40; level += 1) {
      const name = String(inner["name"]);
      // Calls of a model are counted from 1.
      const first = level === 0 ? 0 : 1;
      const twice = [[["x", 0, 0, {}]], [[name, first, 0, {}]]];
      inner = {
        name: `f${level}`,
        class_name: "Functional",
        config: {
          name: `f${level}`,
          layers: [taken("x"), { ...inner, inbound_nodes: twice }],
          input_layers: [["x", 0, 0]],
          output_layers: [[name, first + 1, 0]],
        },
      };
    }
    const json = topology({
      name: "m",
      layers: [taken("x"), { ...inner, inbound_nodes: [[["x", 0, 0, {}]]] }],
      input_layers: [["x", 0, 0]],
      output_layers: [[inner["name"], 1, 0]],
    });
    await expect(read(json)).rejects.toMatchObject({ code: "MODEL_LIMIT" });
  });

  it.each([
    ["CenterCrop", { height: 2 ** 31 - 1, width: 1 }, "UNSUPPORTED_OP"],
    ["LayerNormalization", { scale: false, center: false, axis: [1, 2] }, undefined],
    ["RepeatVector", { n: 2 ** 31 - 1 }, undefined],
    ["RepeatVector", { n: 1e15 }, "MODEL_INVALID"],
  ])("of sizes, in %s of %j, makes nothing of them", async (kind, fields, code) => {
    const size = 2 ** 31 - 1;
    const isRow = kind === "RepeatVector";
    const config = { name: "x", batch_input_shape: isRow ? [null, size] : [null, size, size, 1] };
    const json = topology(
      {
        name: "m",
        layers: [
          { class_name: "InputLayer", config },
          { class_name: kind, config: { name: "l", ...fields } },
        ],
      },
      "Sequential",
    );
    const result = read(json).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (code === undefined) expect(await result).toBeUndefined();
    else expect(await result).toMatchObject({ code, where: "l" });
  });

  it("is not one of many layers in a row, which is read", async () => {
    const count = 3000;
    const nodes = Object.fromEntries(
      Array.from({ length: count }, (_, at) => [at === count - 1 ? "end" : `n${at}`, [at === 0 ? "x" : `n${at - 1}`]]),
    ); // prettier-ignore
    const graph = await read(network(nodes));
    expect(graph.order()).toHaveLength(count + 1);
  });
});

describe("names of a model", () => {
  it("are only names, whatever they are", async () => {
    const file = await plain();
    const text = JSON.stringify(file.json)
      .replaceAll('"one"', '"__proto__"')
      .replaceAll('"one/', '"__proto__/')
      .replaceAll('"two"', '"constructor"')
      .replaceAll('"two/', '"constructor/');
    const graph = await graphOfSaved({ ...file, json: JSON.parse(text) });
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["constructor"]);
    expect(graph.main.inputs.map((id) => graph.value(id).name)).toEqual(["__proto___input"]);
  });
});
