// Writes src/targets/tables/<target>.ts: for each operator of opset 21 the element types that an engine takes.
// A session with the one-node models of ONNX's own tests, each retyped, says what an engine really has; for WebGPU with
// `disable_cpu_ep_fallback`, so that a node which would go to the CPU is refused.
//   npx tsc -b compiler && node compiler/scripts/probe-kernels.mjs [cpu|wasm|webgpu ...]
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { byteSource } from "../../runtime/dist/format/index.js";
import { backendTests } from "../../fixtures/scripts/backend-tests.mjs";
import { attribute, edit, Graph, newHeader, tensorType } from "../dist/ir/index.js";
import { decodeModel, encodeModel } from "../dist/onnx/index.js";
import { inferNode, operatorOf } from "../dist/ops/index.js";

const dtypes = [
  "float32",
  "float16",
  "float64",
  "int32",
  "int64",
  "uint8",
  "int8",
  "uint32",
  "bool",
  "string",
  "int4",
  "uint4",
];
/** The input whose type matters, where it is not the first. */
const keyInput = { Where: 1, OneHot: 2, Compress: 0 };
const modelsPerType = 12;

/** @returns {Promise<Map<string, {op: string, dtype: string, model: Uint8Array}[]>>} candidates by operator and dtype */
async function candidates() {
  const found = new Map();
  for (const { model } of await backendTests()) {
    let graph;
    try {
      graph = await decodeModel(
        { proto: byteSource(model), external: new Map() },
        { infer: () => [] },
      );
    } catch {
      continue;
    }
    const nodes = [...graph.main.nodes].map((id) => graph.node(id));
    const [node] = nodes;
    if (
      nodes.length !== 1 ||
      node.domain !== "" ||
      (graph.opset() ?? 0) > 21 ||
      graph.main.inputs.length === 0
    )
      continue;
    const key = node.inputs[keyInput[node.op] ?? 0] ?? node.inputs.find((id) => id !== null);
    const original = key === undefined || key === null ? undefined : graph.value(key).type.dtype;
    for (const dtype of dtypes) {
      const place = `${node.op} ${dtype}`;
      const list = found.get(place) ?? [];
      found.set(place, list);
      if (list.length >= modelsPerType || original === undefined) continue;
      const fork = graph.fork();
      fork.header.opsets.set("", 21);
      fork.header.irVersion = 10n;
      edit(
        fork,
        "retype",
        (editor) => {
          // Of what a normalization gives beside its result, the type does not follow its input's.
          const { outputs: following = Infinity } = operatorOf(node)?.traits.float16 ?? {};
          const given = node.outputs.slice(0, following);
          for (const id of [...fork.main.inputs, ...given]) {
            if (id === null) continue;
            const { type } = fork.value(id);
            if (type.kind === "tensor" && type.dtype === original)
              editor.setType(id, { ...type, dtype });
          }
          const to = node.attributes.get("to");
          if (node.op === "Cast" && to !== undefined) editor.setAttribute(node.id, "to", to);
        },
        { interface: true },
      );
      list.push((await encodeModel(fork)).proto);
    }
  }
  return found;
}

const { int, ints, float, floats, string } = attribute;
const strings = (value) => ({ type: "strings", value });
const oneTree = {
  nodes_treeids: ints([0, 0, 0]),
  nodes_nodeids: ints([0, 1, 2]),
  nodes_featureids: ints([0, 0, 0]),
  nodes_values: floats([0.5, 0, 0]),
  nodes_modes: strings(["BRANCH_LEQ", "LEAF", "LEAF"]),
  nodes_truenodeids: ints([1, 0, 0]),
  nodes_falsenodeids: ints([2, 0, 0]),
};
const scores = (of) => ({
  [`${of}_treeids`]: ints([0, 0]),
  [`${of}_nodeids`]: ints([1, 2]),
  [`${of}_ids`]: ints([0, 0]),
  [`${of}_weights`]: floats([1, 2]),
});
const vectors = {
  coefficients: floats([1, 2]),
  kernel_params: floats([1, 0, 3]),
  kernel_type: string("RBF"),
  rho: floats([0]),
  support_vectors: floats([1, 2, 3, 4]),
};
const labels = { classlabels_ints: ints([0, 1]) };

/** What scikit-learn exports: ONNX's tests have few of them. Each: attributes, how many outputs, a second input's type. */
const classical = {
  ArrayFeatureExtractor: [{}, 1, "int64"],
  Binarizer: [{ threshold: float(1) }],
  FeatureVectorizer: [{ inputdimensions: ints([2]) }],
  Imputer: [{ imputed_value_floats: floats([1]), replaced_value_float: float(0) }],
  CategoryMapper: [{ cats_int64s: ints([1]), cats_strings: strings(["a"]) }],
  LinearClassifier: [
    { coefficients: floats([1, 2, 3, 4]), intercepts: floats([0, 0]), ...labels },
    2,
  ],
  LinearRegressor: [{ coefficients: floats([1, 2]), intercepts: floats([0]) }],
  Normalizer: [{ norm: string("L2") }],
  OneHotEncoder: [{ cats_int64s: ints([1, 2]), zeros: int(1) }],
  SVMClassifier: [{ ...vectors, ...labels, vectors_per_class: ints([1, 1]) }, 2],
  SVMRegressor: [{ ...vectors, n_supports: int(2) }],
  Scaler: [{ offset: floats([0]), scale: floats([1]) }],
  TreeEnsembleClassifier: [{ ...oneTree, ...scores("class"), classlabels_int64s: ints([0, 1]) }, 2],
  TreeEnsembleRegressor: [{ ...oneTree, ...scores("target"), n_targets: int(1) }],
  ZipMap: [{ classlabels_int64s: ints([0, 1]) }],
};
const keys = {
  float32: { keys_floats: floats([1]), values_floats: floats([2]) },
  int64: { keys_int64s: ints([1]), values_floats: floats([2]) },
  string: { keys_strings: strings(["a"]), values_floats: floats([2]) },
};
const shape = { shape: ints([2]) };
/** What ONNX's tests have nothing of, mostly since nobody can say what it gives. Each: attributes; those of a shape take no input. */
const untested = {
  LpNormalization: {},
  Multinomial: { sample_size: int(1) },
  RandomNormal: shape,
  RandomNormalLike: {},
  RandomUniform: shape,
  RandomUniformLike: {},
};
const scoresByClass = { kind: "map", key: "int64", value: tensorType("float32", []) };

async function addClassical(found) {
  const dtypesHere = ["float32", "float64", "int32", "int64", "string"];
  const all = [
    ...Object.entries(classical).flatMap(([op, [attributes, outputs = 1, second]]) =>
      dtypesHere.map((dtype) => ({ op, dtype, attributes, outputs, second })),
    ),
    ...Object.entries(keys).map(([dtype, attributes]) => {
      const op = "LabelEncoder";
      return { op, dtype, attributes, outputs: 1, second: undefined };
    }),
  ];
  for (const { op, dtype, attributes, outputs, second } of all)
    found.set(`ai.onnx.ml::${op} ${dtype}`, [
      await built((editor) => {
        editor.setOpset("ai.onnx.ml", 3);
        const inputs = [editor.addInput("x", tensorType(dtype, [1, 2]))];
        if (second) inputs.push(editor.addInput("at", tensorType(second, [1])));
        const options = { outputs, domain: "ai.onnx.ml" };
        for (const id of editor.add(op, inputs, attributes, options)) {
          if (op === "ZipMap") editor.setType(id, { kind: "sequence", element: scoresByClass });
          editor.addOutput(id);
        }
      }),
    ]);
}

async function addUntested(found) {
  for (const [op, attributes] of Object.entries(untested))
    for (const [dtype, number] of Object.entries({ float32: 1, float16: 10, float64: 11 }))
      found.set(`${op} ${dtype}`, [
        await built((editor) => {
          const makes = attributes === shape;
          const inputs = makes ? [] : [editor.addInput("x", tensorType(dtype, [1, 2]))];
          const all = makes ? { ...shape, dtype: int(number) } : attributes;
          for (const id of editor.add(op, inputs, all)) editor.addOutput(id);
        }),
      ]);
}

const floats3 = ["float32", "float16", "float64"];
const bytes = ["uint8", "int8"];
const heads = { num_heads: int(2) };
const row = ["T", 1, 2, 8];
/** Of bytes: the scale and the zero point. */
const how = [["float32"], ["T"]];
const image = ["T", 1, 2, 4, 4];
const two = [row, ...how, row, ...how];
const relu = { activation: string("Relu") };
/** What onnxruntime has of its own. Each: its inputs, T being the type that varies; attributes; outputs; types. */
const own = {
  Attention: [[row, ["T", 8, 24], ["T", 24]], heads],
  BiasGelu: [[row, ["T", 8]]],
  DynamicQuantizeMatMul: [[row, ["uint8", 8, 3], ["float32"], ["uint8"]]],
  EmbedLayerNormalization: [
    [
      ["int32", 1, 2],
      ["int32", 1, 2],
      ...[8, 8, 2].map((rows) => ["float32", rows, 8]),
      ["float32", 8],
      ["float32", 8],
    ],
    {},
    2,
    ["int32"],
  ],
  FastGelu: [[row, ["T", 8]]],
  FusedConv: [[image, ["T", 3, 2, 1, 1], ["T", 3]], { ...relu, kernel_shape: ints([1, 1]) }],
  FusedGemm: [
    [
      ["T", 2, 8],
      ["T", 8, 3],
      ["T", 3],
    ],
    relu,
  ],
  FusedMatMul: [[row, ["T", 8, 3]], { alpha: float(0.5) }],
  Gelu: [[row]],
  GatherBlockQuantized: [
    [
      ["uint8", 4, 16],
      ["int64", 2],
      ["T", 4, 1],
    ],
    { bits: int(4), block_size: int(32) },
  ],
  GroupQueryAttention: [
    [["T", 1, 2, 16], ["T", 1, 2, 8], ["T", 1, 2, 8], null, null, ["int32", 1], ["int32", 1]],
    { ...heads, kv_num_heads: int(1) },
    3,
  ],
  MatMulNBits: [
    [
      ["T", 1, 2, 32],
      ["uint8", 3, 1, 16],
      ["T", 3],
    ],
    { K: int(32), N: int(3), bits: int(4), block_size: int(32) },
  ],
  MatMulIntegerToFloat: [[row, ["T", 8, 3], ["float32"], ["float32"]], {}, 1, bytes],
  MultiHeadAttention: [[row, row, row], heads],
  QAttention: [
    [row, ["T", 8, 24], ["float32", 24], ["float32"], ["float32"], null, ["T"], ["T"]],
    heads,
    1,
    bytes,
  ],
  QEmbedLayerNormalization: [
    [
      ...[0, 1].map(() => ["int32", 1, 2]),
      ...[8, 8, 2].map((rows) => ["uint8", rows, 8]),
      ...[0, 1].map(() => ["uint8", 8]),
      null,
      ...[0, 1, 2, 3, 4].map(() => ["float32"]),
      ...[0, 1, 2, 3, 4].map(() => ["uint8"]),
    ],
    {},
    2,
    ["int32"],
  ],
  QGemm: [[["T", 2, 8], ...how, ["T", 8, 3], ...how, null, ...how], {}, 1, bytes],
  QLinearAdd: [[...two, ...how], {}, 1, bytes],
  QLinearAveragePool: [[image, ...how, ...how], { kernel_shape: ints([2, 2]) }, 1, bytes],
  QLinearConcat: [[...how, ...two], { axis: int(1) }, 1, bytes],
  QLinearConv: [[image, ...how, ["T", 3, 2, 1, 1], ...how, ...how], {}, 1, bytes],
  QLinearGlobalAveragePool: [[image, ...how, ...how], {}, 1, bytes],
  QLinearLeakyRelu: [[row, ...how, ...how], {}, 1, bytes],
  QLinearMul: [[...two, ...how], {}, 1, bytes],
  QLinearSigmoid: [[row, ...how, ...how], {}, 1, bytes],
  QLinearSoftmax: [[row, ...how, ...how], { opset: int(13) }, 1, bytes],
  QLinearWhere: [[["bool", 1, 2, 8], ...two, ...how], {}, 1, bytes],
  QuickGelu: [[row]],
  RotaryEmbedding: [[row, ["int64", 1, 2], ["T", 4, 4], ["T", 4, 4]]],
  SkipLayerNormalization: [[row, row, ["T", 8], ["T", 8]]],
  SkipSimplifiedLayerNormalization: [[row, row, ["T", 8]]],
  TransposeMatMul: [[row, ["T", 8, 3]]],
};
/** It stands in ai.onnx, and is not of it. */
const misplaced = { SimplifiedLayerNormalization: [[row, ["T", 8]]] };

async function addOwn(found) {
  const all = [
    ...Object.entries(own).map(([op, rest]) => ({ domain: "com.microsoft", op, rest })),
    ...Object.entries(misplaced).map(([op, rest]) => ({ domain: "", op, rest })),
  ];
  for (const { domain, op, rest } of all) {
    const [inputs, attributes = {}, outputs = 1, types = floats3] = rest;
    for (const dtype of types) {
      const place = `${domain === "" ? op : `${domain}::${op}`} ${dtype}`;
      const model = await built((editor) => {
        editor.setOpset("com.microsoft", 1);
        const given = inputs.map((input, index) => {
          if (input === null) return null;
          const [type, ...dims] = input;
          return editor.addInput(`x${index}`, tensorType(type === "T" ? dtype : type, dims));
        });
        for (const id of editor.add(op, given, attributes, { domain, outputs }))
          editor.addOutput(id);
      });
      found.set(place, [model]);
    }
  }
}

async function built(build) {
  const graph = new Graph(newHeader(21), inferNode);
  edit(graph, "build", build, { interface: true });
  return (await encodeModel(graph)).proto;
}

/** @param {(model: Uint8Array) => Promise<boolean>} loads */
async function probe(found, loads) {
  const table = {};
  for (const [place, models] of found) {
    const [op, dtype] = place.split(" ");
    for (const model of models) {
      if (!(await loads(model))) continue;
      (table[op] ??= []).push(dtype);
      break;
    }
  }
  return table;
}

/** Of a row of the table. */
const keyOf = (op) => (op.includes(":") ? JSON.stringify(op) : op);

async function write(target, engine, table, what) {
  const ops = Object.keys(table).sort();
  const rows = ops.map((op) => `  ${keyOf(op)}: "${table[op].join(" ")}",`).join("\n");
  const text = `// Generated by compiler/scripts/probe-kernels.mjs: ${what}.\nimport type { KernelTable } from "../kernel-table.js";\n\nexport const ${target}Kernels: KernelTable = {\n  engine: "${engine}",\n  opset: 21,\n  ops: {\n${rows.replaceAll(/^/gm, "  ")}\n  },\n};\n`;
  const folder = new URL("../src/targets/tables/", import.meta.url);
  await mkdir(folder, { recursive: true });
  await writeFile(new URL(`${target}.ts`, folder), text);
  console.log(`${target}: ${ops.length} operators`);
}

async function inNode(name, options) {
  const ort = await import(name);
  const quiet = { logSeverityLevel: 4, intraOpNumThreads: 1, ...options };
  if (ort.env.wasm) ort.env.wasm.numThreads = 1;
  return {
    version: ort.env.versions.node ?? ort.env.versions.web ?? ort.env.versions.common,
    loads: async (model) => {
      try {
        await (await ort.InferenceSession.create(model, quiet)).release();
        return true;
      } catch {
        return false;
      }
    },
  };
}

async function inBrowser() {
  const { chromium } = await import("playwright-core");
  const dist = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url);
  const types = {
    html: "text/html",
    mjs: "text/javascript",
    js: "text/javascript",
    wasm: "application/wasm",
  };
  const server = createServer((request, response) => {
    const name = (request.url ?? "/").slice(1).split("?")[0] || "index.html";
    const type = types[name.split(".").pop()] ?? "text/plain";
    const send = (body) => response.writeHead(200, { "content-type": type }).end(body);
    if (name === "index.html") send("<!doctype html>");
    else readFile(new URL(name, dist)).then(send, () => response.writeHead(404).end());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--enable-unsafe-webgpu"],
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const version = await page.evaluate(async () => {
    const ort = await import("/ort.webgpu.min.mjs");
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = "fatal";
    globalThis.ort = ort;
    return ort.env.versions.web ?? ort.env.versions.common;
  });
  const loads = (model) =>
    page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      try {
        const options = {
          executionProviders: [{ name: "webgpu" }],
          extra: { session: { disable_cpu_ep_fallback: "1" } },
          logSeverityLevel: 4,
        };
        await (await globalThis.ort.InferenceSession.create(bytes, options)).release();
        return true;
      } catch {
        return false;
      }
    }, Buffer.from(model).toString("base64"));
  return {
    version,
    loads,
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

const asked = process.argv.slice(2);
const found = await candidates();
await addClassical(found);
await addUntested(found);
await addOwn(found);
for (const target of asked.length > 0 ? asked : ["cpu", "wasm", "webgpu"]) {
  if (target === "cpu") {
    const { version, loads } = await inNode("onnxruntime-node", { executionProviders: ["cpu"] });
    await write(
      target,
      `onnxruntime-node ${version}`,
      await probe(found, loads),
      "element types with which a one-node model loads on the CPU provider",
    );
  } else if (target === "wasm") {
    const { version, loads } = await inNode("onnxruntime-web/wasm", {
      executionProviders: ["wasm"],
    });
    await write(
      target,
      `onnxruntime-web ${version}`,
      await probe(found, loads),
      "element types with which a one-node model loads on the WebAssembly build",
    );
  } else if (target === "webgpu") {
    const { version, loads, close } = await inBrowser();
    await write(
      target,
      `onnxruntime-web ${version}`,
      await probe(found, loads),
      "element types with which the WebGPU provider takes a one-node model whole",
    );
    await close();
  }
}
process.exit(0);
