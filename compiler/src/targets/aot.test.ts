import { type Artifact, artifactBytes, isPareError, type Tensors } from "@pare/runtime/format";
import { aot as backend } from "@pare/runtime/aot";
import { expect, it, vi } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../ir/index.js";
import {
  agreement,
  feedsOf,
  quantized,
  run,
} from "../passes/quantization/engine-case.test.support.js";
import { quantizeWeights } from "../passes/quantize-weights.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { aot } from "./aot.js";
import { supportOf } from "./support.js";

/** @param wide with more weights than lie in a module */
const network = ({ wide = false } = {}) =>
  graphOf({ x: ["float32", 1, 3, 8, 8], shift: ["float32", 5] }, (input, b) => {
    const pads = { pads: attribute.ints([1, 1, 1, 1]) };
    const image = b.add("Relu", [b.add("Conv", [input("x"), b.weights(8, 3, 3, 3)], pads)]);
    const flat = b.add("Flatten", [b.add("GlobalAveragePool", [image])]);
    const y = b.add("Add", [b.add("Gemm", [flat, b.weights(8, 5)]), input("shift")]);
    return { y, image, ...(wide && { all: b.add("Gemm", [flat, b.weights(8, 40_000)]) }) };
  });

it("writes a model that its backend runs, as the engine does", async () => {
  const graph = network();
  const artifact = await aot.emit(graph, {});
  expect(artifact).toMatchObject({ format: "wasm", requires: { features: ["simd"] } });
  const session = await backend().load(artifact);
  expect(session.inputs).toEqual([
    { name: "x", type: "float32", dims: [1, 3, 8, 8] },
    { name: "shift", type: "float32", dims: [5] },
  ]);
  expect(session.outputs.map(({ name }) => name)).toEqual(["y", "image"]);
  const [first, second] = [feedsOf(graph, 1), feedsOf(graph, 2)];
  const answers: Tensors[] = [await session.run(first), await session.run(second)];
  expect(agreement(await run(graph, first), answers[0] ?? {})).toBeGreaterThan(110);
  expect(agreement(await run(graph, second), answers[1] ?? {})).toBeGreaterThan(110);
  await session.dispose();
  await expect(session.run(first)).rejects.toMatchObject({ code: "DISPOSED" });
});

it("says of a fault of its own that it is one, for which other targets do not pay", async () => {
  const graph = network();
  vi.spyOn(graph, "fork").mockImplementation(() => {
    throw new RangeError("Too much recursion.");
  });
  await expect(aot.emit(graph, {})).rejects.toMatchObject({
    code: "PASS_FAILED",
    message: "The compiler failed: Too much recursion.",
  });
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles).toMatchObject([
    { of: "model", reason: "The compiler failed: Too much recursion." },
  ]);
});

it("takes and gives integers and truth values as engines do", async () => {
  const graph = graphOf(
    { ids: ["int64", 2, 3], mask: ["bool", 2, 3], shift: ["int32", 3] },
    (input, b) => {
      const rows = b.add("Gather", [b.weights(10, 3), input("ids")]);
      const kept = b.add("Unsqueeze", [input("mask"), b.ints([2])]);
      return {
        y: b.add("Where", [kept, rows, b.floats([-9], [])]),
        places: b.add("ArgMax", [rows], { axis: attribute.int(2) }),
        others: b.add("Not", [input("mask")]),
        doubled: b.add("Add", [input("shift"), input("shift")]),
      };
    },
  );
  const session = await backend().load(await aot.emit(graph, {}));
  expect(session.inputs.map(({ type }) => type)).toEqual(["int64", "bool", "int32"]);
  const feeds: Tensors = {
    ids: { type: "int64", dims: [2, 3], data: BigInt64Array.of(0n, 9n, -1n, 3n, -10n, 5n) },
    mask: { type: "bool", dims: [2, 3], data: Uint8Array.of(1, 0, 1, 0, 0, 1) },
    shift: { type: "int32", dims: [3], data: Int32Array.of(2 ** 30, -1, 7) },
  };
  expect(await session.run(feeds)).toEqual(await run(graph, feeds));
  const ids = { type: "int64", dims: [2, 3], data: new BigInt64Array(6).fill(10n) } as const;
  await expect(session.run({ ...feeds, ids })).rejects.toMatchObject({ code: "ENGINE" });
});

it("has a module for each kind of SIMD, with few weights in both, of which one is downloaded", async () => {
  const artifact = await aot.emit(network(), {});
  const [plain, relaxed, ...others] = artifact.files;
  expect(plain.name).toBe("model.wasm");
  expect(relaxed?.name).toMatch(/^[0-9a-f]{64}\.wasm$/);
  expect(others).toEqual([]);
  expect(WebAssembly.validate(plain.bytes.slice())).toBe(true);
  expect(artifactBytes(artifact)).toBe(Math.max(plain.bytes.length, relaxed?.bytes.length ?? 0));
});

it("has many weights once, beside them, named as a bundle wants", async () => {
  const graph = network({ wide: true });
  const artifact = await aot.emit(graph, {});
  const [plain, relaxed, weights] = artifact.files;
  expect(relaxed?.name).toMatch(/^[0-9a-f]{64}\.wasm$/);
  expect(weights?.name).toMatch(/^[0-9a-f]{64}\.bin$/);
  expect(artifactBytes(artifact)).toBe(
    Math.max(plain.bytes.length, relaxed?.bytes.length ?? 0) + (weights?.bytes.length ?? 0),
  );
  // Of a model that an engine interprets all files count, whatever a stranger called them.
  const bytes = artifact.files.reduce((sum, file) => sum + file.bytes.length, 0);
  expect(artifactBytes({ ...artifact, format: "onnx" })).toBe(bytes);
  // Either order of what lies beside the first is understood, and the plain one alone is enough.
  const only: Artifact = { ...artifact, files: [plain, ...(weights ? [weights] : [])] };
  const feeds = feedsOf(graph, 3);
  const session = await backend().load(only);
  expect(agreement(await run(graph, feeds), await session.run(feeds))).toBeGreaterThan(110);
});

it("checks what it is fed, and says what was expected", async () => {
  const session = await backend().load(await aot.emit(network(), {}));
  const shift = new Float32Array(5);
  const wrong = [
    {},
    { x: new Float32Array(192) },
    { x: new Float32Array(191), shift },
    { x: new Float64Array(192), shift },
    { x: { type: "float32" as const, dims: [3, 8, 8], data: new Float32Array(192) }, shift },
    { x: new Float32Array(192), shift, more: shift },
  ];
  for (const feeds of wrong)
    await expect(session.run(feeds)).rejects.toMatchObject({ code: "INPUT" });
  const aborted = AbortSignal.abort();
  await expect(session.run({ x: new Float32Array(192), shift }, aborted)).rejects.toMatchObject({
    code: "ABORTED",
  });
});

it("has one reason against a model that no pass takes", async () => {
  const graph = graphOf({ x: ["float32", 1, 8, 2, 2] }, (input, b) => {
    b.editor.setOpset("com.microsoft.nchwc", 1);
    const options = { domain: "com.microsoft.nchwc" };
    return { y: b.editor.add1("ReorderOutput", [input("x")], {}, options) };
  });
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ of, reason }) => [of, reason])).toEqual([
    ["model", expect.stringContaining("for the processor that it ran on")],
  ]);
});

it("refuses, with all reasons and what to do, what it cannot compile", async () => {
  const graph = graphOf({ x: ["float32", "N", "W"] }, (input, b) => ({
    y: b.add("Bernoulli", [input("x")]),
  }));
  await expect(aot.emit(graph, {})).rejects.toMatchObject({
    code: "UNSUPPORTED_OP",
    message: expect.stringMatching(
      /W \(x\): its size is not fixed, give --dim W=…; Bernoulli \(y\): it is not compiled/,
    ),
    hint: "Fix what the model leaves open: --dim W=….",
  });
  expect((await supportOf(graph, aot)).obstacles).toEqual([
    { of: "nodes", op: "Bernoulli", reason: "it is not compiled", count: 1, nodes: ["y"] },
    {
      of: "model",
      op: "W",
      reason: "its size is not fixed, give --dim W=…",
      option: "--dim W=…",
      count: 1,
      nodes: ["x"],
    },
  ]);
  // What computes with sizes is gone once they are fixed: nobody has to hear of it.
  const ofSizes = graphOf({ x: ["float32", "N", "W"] }, (input, b) => ({
    y: b.add("Shape", [b.add("Relu", [input("x")])]),
  }));
  expect((await supportOf(ofSizes, aot)).obstacles.map(({ op }) => op)).toEqual(["W"]);
  expect((await supportOf(network(), aot)).obstacles).toEqual([]);
  expect(aot.supports("Conv", "", ["float32"])).toEqual({ ok: true });
  expect(aot.supports("Conv", "", ["int8"])).toMatchObject({ ok: false });
  expect(aot.supports("Conv", "com.example", [])).toMatchObject({ ok: false });
  expect(aot.supports("constructor", "", [])).toMatchObject({ ok: false });
});

it("says beside free sizes what stands against operators whatever they are", async () => {
  const deep = graphOf({ x: ["float32", 1, 3, "D", "H", 16] }, (input, b) => ({
    y: b.add("LpPool", [input("x")], {
      kernel_shape: attribute.ints([1, 3, 3]),
      ceil_mode: attribute.int(1),
    }),
  }));
  expect((await supportOf(deep, aot)).obstacles.map(({ op, reason }) => [op, reason])).toEqual([
    ["D", "its size is not fixed, give --dim D=…"],
    ["H", "its size is not fixed, give --dim H=…"],
    ["LpPool", "it rounds its size up"],
  ]);
  // Of what is said in other operators once its sizes are fixed, nothing is said before.
  const volume = graphOf({ x: ["float32", 1, 3, "D", 8, 8] }, (input, b) => ({
    y: b.add("Conv", [
      b.add("ConvTranspose", [input("x"), b.weights(3, 4, 2, 2, 2)]),
      b.weights(2, 4, 1, 1, 1),
    ]),
  }));
  expect((await supportOf(volume, aot)).obstacles.map(({ op }) => op)).toEqual(["D"]);
  // Nothing is made of a size that the model cannot have.
  const narrow = graphOf({ x: ["float32", 1, "W", 8] }, (input, b) => ({
    y: b.add("Squeeze", [b.add("Relu", [input("x")]), b.ints([1])]),
  }));
  expect((await supportOf(narrow, aot)).obstacles.map(({ op }) => op)).toEqual(["W"]);
});

it("says what stands against a model, and not what follows from it", async () => {
  const graph = graphOf({ x: ["float32", 4], n: ["int64"] }, (input, b) => {
    b.editor.setOpset("com.example", 1);
    const made = b.editor.add1("Made", [input("x")], {}, { domain: "com.example" });
    const counted = b.add("Range", [b.ints([0], []), input("n"), b.ints([1], [])]);
    return {
      y: b.add("Add", [b.add("Relu", [made]), b.add("Relu", [made])]),
      z: b.add("Neg", [b.add("Neg", [counted])]),
    };
  });
  expect((await supportOf(graph, aot)).obstacles.map(({ op, reason }) => [op, reason])).toEqual([
    ["Range", "its sizes are known only when it runs"],
    ["com.example::Made", "it is not compiled"],
  ]);
});

it("says which input decides between bodies, where it may be one that never changes", async () => {
  const decided = (by: "rate" | "sound") =>
    graphOf({ x: ["float32", 1, 8], rate: ["int64"] }, (input, b) => {
      const branch = (op: string) => {
        const body = b.editor.addBody(op);
        b.editor.addOutput(b.editor.add1(op, [input("x")], {}, { body }), body);
        return attribute.graph(body);
      };
      const loudest = b.add("ReduceMax", [input("x")], { keepdims: attribute.int(0) });
      const condition =
        by === "rate"
          ? b.add("Equal", [input("rate"), b.ints([16_000], [])])
          : b.add("Greater", [loudest, b.floats([0])]);
      const bodies = { then_branch: branch("Relu"), else_branch: branch("Neg") };
      return { y: b.add("If", [condition], bodies) };
    });
  const reasonsOf = async (graph: Graph) =>
    (await supportOf(graph, aot)).obstacles.map(({ reason }) => reason);
  expect(await reasonsOf(decided("rate"))).toEqual(["it is not compiled, give --const rate=…"]);
  expect(await reasonsOf(decided("sound"))).toEqual([]);
});

const classifier = (batch: string | number) =>
  graphOf({ x: ["float32", batch, 6], other: ["float32", batch, 6] }, (input, b) => ({
    y: b.add("Gemm", [b.add("Add", [input("x"), input("other")]), b.weights(6, 3)]),
  }));

it("fixes a batch to one where nobody gave it a size, and says so to who inspects and who feeds", async () => {
  const support = await supportOf(classifier("N"), aot);
  expect(support).toMatchObject({
    obstacles: [],
    assumption:
      "A run takes one sample: its batch (N) is fixed to 1 in the module; --dim N=8 makes it eight.",
  });
  const { assumption } = await supportOf(
    graphOf({ x: ["float32", "N", 6], other: ["float32", "M", 6] }, (input, b) => ({
      y: b.add("Relu", [input("x")]),
      z: b.add("Relu", [input("other")]),
    })),
    aot,
  );
  expect(assumption).toContain("(N, M) is fixed to 1 in the module; --dim N=8 --dim M=8 makes it");
  const session = await backend().load(await aot.emit(classifier("N"), {}));
  expect(session.inputs.map(({ dims }) => dims)).toEqual([
    [1, 6],
    [1, 6],
  ]);
  const feeds = feedsOf(classifier(1), 1);
  expect(agreement(await run(classifier(1), feeds), await session.run(feeds))).toBeGreaterThan(110);
  const two = { type: "float32", dims: [2, 6], data: new Float32Array(12) } as const;
  const other = new Float32Array(6);
  await expect(session.run({ x: two, other })).rejects.toMatchObject({
    code: "INPUT",
    message: 'Input "x" is float32 [1, 6], but got dims [2, 6].',
    hint: 'Its inputs are "x": float32 [1, 6]; "other": float32 [1, 6]. Its batch and sizes are fixed: --dim compiles others.',
  });
  await expect(session.run({ x: two.data, other })).rejects.toMatchObject({ code: "INPUT" });
});

it("leaves a batch as it was given", async () => {
  expect(await supportOf(classifier(8), aot)).not.toHaveProperty("assumption");
  const session = await backend().load(await aot.emit(classifier(8), {}));
  expect(session.inputs[0]?.dims).toEqual([8, 6]);
  const one = new Float32Array(6);
  await expect(session.run({ x: one, other: one })).rejects.toMatchObject({ code: "INPUT" });
});

const image = (batch: string | number, width: string | number) =>
  graphOf({ x: ["float32", batch, 3, 8, width] }, (input, b) => {
    const pads = { pads: attribute.ints([1, 1, 1, 1]) };
    const found = b.add("Relu", [b.add("Conv", [input("x"), b.weights(8, 3, 3, 3)], pads)]);
    const flat = b.add("Flatten", [b.add("GlobalAveragePool", [found])]);
    return { y: b.add("Gemm", [flat, b.weights(8, 5)]), found };
  });

it("has an entry for each size that is wanted, in one module on the same weights", async () => {
  const sizes = { W: [8, 12, 20] };
  const open = image(1, "W");
  const { files } = await aot.emit(open, {}, sizes);
  expect(await supportOf(open, aot, sizes)).toMatchObject({
    obstacles: [],
    assumption: "The module has an entry for each size, on the same weights: W is 8, 12 or 20.",
  });
  for (const own of [files, [files[0], ...files.slice(2)]]) {
    const [first, ...others] = own;
    if (first === undefined) throw new Error("There is no module.");
    const artifact: Artifact = {
      format: "wasm",
      files: [first, ...others],
      session: {},
      requires: { features: [] },
    };
    const session = await backend().load(artifact);
    // Hosts complete feeds by what a session says: what all sizes share, and the rest open.
    expect(session.inputs[0]?.dims).toEqual([1, 3, 8, null]);
    // Memory is shared: one may not leave something behind for the next.
    for (const width of [20, 8, 12, 20, 8]) {
      const feeds = feedsOf(image(1, width), width);
      const expected = await run(image(1, width), feeds);
      expect(agreement(expected, await session.run(feeds))).toBeGreaterThan(110);
      const data = feeds["x"]?.data;
      if (!(data instanceof Float32Array)) throw new Error("There is no image.");
      expect(await session.run({ x: data })).toEqual(await session.run(feeds));
    }
    await expect(session.run(feedsOf(image(1, 16), 1))).rejects.toMatchObject({
      code: "INPUT",
      message: 'Input "x" is float32 [1, 3, 8, 8], but got dims [1, 3, 8, 16].',
      hint: expect.stringMatching(/ 8, 8\], or .* 8, 12\], or .* 8, 20\]\. /),
    });
    await expect(session.run({})).rejects.toMatchObject({ code: "INPUT" });
  }
});

it("keeps the weights of several sizes once", async () => {
  const bytesOf = ({ files }: Artifact): number | undefined => files[2]?.bytes.length;
  // Small maps have tables of their places, each its own.
  const several = await aot.emit(image(1, "W"), {}, { W: [192, 256, 320] });
  expect(bytesOf(several)).toBe(bytesOf(await aot.emit(image(1, 192), {})));
});

it("takes a batch for a dim like another, and all sizes with one another", async () => {
  const sizes = { N: [1, 2], W: [8, 4] };
  const session = await backend().load(await aot.emit(image("N", "W"), {}, sizes));
  for (const [batch, width] of [
    [1, 8],
    [2, 8],
    [1, 4],
    [2, 4],
  ] as const) {
    const feeds = feedsOf(image(batch, width), 1);
    const expected = await run(image(batch, width), feeds);
    expect(agreement(expected, await session.run(feeds))).toBeGreaterThan(110);
  }
  // So many values are one of eight columns, and two of four.
  await expect(session.run({ x: new Float32Array(192) })).rejects.toMatchObject({
    code: "INPUT",
    message: expect.stringContaining("a bare array does not say its free dims"),
    hint: "Pass { type, dims, data }.",
  });
  // And so many are of nothing else: two of eight.
  expect((await session.run({ x: new Float32Array(384) }))["y"]?.dims).toEqual([2, 5]);
});

it("loses no value for its name", async () => {
  const sums = graphOf(
    { ["__proto__"]: ["float32", 2], constructor: ["float32", 2] as const },
    (input, b) => {
      const sum = b.add("Add", [input("__proto__"), input("constructor")]);
      return { ["__proto__"]: sum, valueOf: b.add("Neg", [sum]) };
    },
  );
  const session = await backend().load(await aot.emit(sums, {}));
  const x = Float32Array.of(1, 2);
  const feeds = { ["__proto__"]: x, constructor: x };
  const numbersOf = (outputs: Tensors) =>
    Object.entries(outputs).map(([name, { data }]) => [name, [...data]]);
  const expected = [
    ["__proto__", [2, 4]],
    ["valueOf", [-2, -4]],
  ];
  expect(numbersOf(session.runSync(feeds))).toEqual(expected);
  expect(numbersOf(session.stream({}).runSync(feeds))).toEqual(expected);
  const into = { ["__proto__"]: new Float32Array(2) };
  session.runSync(feeds, into);
  session.stream({}).runSync(feeds, into);
  expect([...into["__proto__"]]).toEqual([2, 4]);
  const carrying = session.stream({ ["__proto__"]: "constructor" });
  carrying.runSync({ ["__proto__"]: x });
  expect(numbersOf(carrying.runSync({ ["__proto__"]: x }))).toEqual([["valueOf", [-2, -4]]]);
  const steps = session.stream({ ["__proto__"]: "__proto__" });
  expect(numbersOf(steps.runSync(feeds))).toEqual([["valueOf", [-2, -4]]]);
});

it("says of each size what stands against it", async () => {
  const graph = graphOf({ x: ["float32", 1, "W", "H"] }, (input, b) => ({
    y: b.add("Bernoulli", [input("x")]),
  }));
  expect((await supportOf(graph, aot, { W: [8, 9] })).obstacles.map(({ op }) => op)).toEqual([
    "Bernoulli",
    "H",
  ]);
  const many = { W: Array.from({ length: 65 }, (_, at) => at + 1) };
  await expect(aot.emit(graph, {}, many)).rejects.toMatchObject({ code: "ARGUMENT" });
});

it("loads no module that is none of its own, and none whose facts lie", async () => {
  const artifact = await aot.emit(network({ wide: true }), {});
  const [plain, , weights] = artifact.files;
  const text = [...plain.bytes].map((byte) => String.fromCharCode(byte)).join("");
  const edited = (from: RegExp, to: string): Artifact => {
    const bytes = Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
    return { ...artifact, files: [{ name: "model.wasm", bytes }, ...(weights ? [weights] : [])] };
  };
  const empty = { name: "model.wasm", bytes: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0) };
  const broken: readonly Artifact[] = [
    { ...artifact, format: "onnx" },
    { ...artifact, files: [empty] },
    { ...artifact, files: [{ name: "model.wasm", bytes: Uint8Array.of(1, 2, 3) }] },
    { ...artifact, files: [plain] }, // its weights are missing
    edited(/"dims":\[1,3,8,8\]/, '"dims":[9999999]'),
    edited(/"dims":\[1,3,8,8\]/, '"dims":[1,3,8,-]'),
    edited(/"type":"float32"/, '"type":"float99"'),
    edited(/"at":(\d)/, '"at":-'),
  ];
  for (const each of broken) {
    const error: unknown = await backend()
      .load(each)
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(isPareError(error) && error.code).toBe("ENGINE");
  }
});

it("compiles weights that were stored small: of 4 bits, and of recurrent cells", async () => {
  const build = (): Graph =>
    graphOf({ x: ["float32", 5, 1, 8] }, (input, b) => {
      const cell = [b.weights(1, 64, 8), b.weights(1, 64, 16), b.weights(1, 128)];
      const rows = b.add("LSTM", [input("x"), ...cell], { hidden_size: attribute.int(16) });
      return { y: b.add("MatMul", [rows, b.weights(16, 24)]) };
    });
  for (const options of [{ bits: 8 }, { bits: 4 }]) {
    const graph = await quantized(quantizeWeights, build(), options, null);
    const session = await backend().load(await aot.emit(graph, {}));
    const feeds = feedsOf(graph, 1);
    expect(agreement(await run(graph, feeds), await session.run(feeds))).toBeGreaterThan(90);
    await session.dispose();
  }
});

it("pads by less than nothing, as engines do", async () => {
  const graph = graphOf({ x: ["float32", 2, 5, 6] }, (input, b) => ({
    y: b.add("Pad", [input("x"), b.ints([-1, 2, 1, 0, -3, -2])]),
    z: b.add("Pad", [input("x"), b.ints([1, -1]), null, b.ints([2])]),
  }));
  const session = await backend().load(await aot.emit(graph, {}));
  const feeds = feedsOf(graph, 1);
  expect(agreement(await run(graph, feeds), await session.run(feeds))).toBe(Infinity);
  await session.dispose();
});

it("computes no constant that is much larger than what it is made of, to have a kernel for the rest", async () => {
  const graph = graphOf({ x: ["float32", 1] }, (input, b) => {
    const list = (dims: readonly number[]): ValueId =>
      b.editor.constant("bytes", Tensor.of("uint8", dims, new Uint8Array(2048).fill(1)));
    const right = { direction: attribute.string("RIGHT") };
    const table = b.add("BitShift", [list([2048, 1]), list([1, 2048])], right);
    return { y: b.add("Add", [b.add("Cast", [table], { to: attribute.int(1) }), input("x")]) };
  });
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ op }) => op)).toContain("BitShift");
});

it("takes a window that constants make, however large it is next to them", async () => {
  const graph = graphOf({ x: ["float32", 1, 1, 1, 900] }, (input, b) => {
    const number = (value: number): ValueId => b.floats([value], []);
    const places = b.add("Range", [number(-1.7), number(1.7), number(0.01)]);
    const turns = b.add("Mul", [places, b.floats([1, 2, 3], [3, 1])]);
    const window = b.add("Unsqueeze", [b.add("Sin", [turns]), b.ints([1, 2])]);
    return { y: b.add("Conv", [input("x"), window], { strides: attribute.ints([1, 97]) }) };
  });
  const session = await backend().load(await aot.emit(graph, {}));
  const feeds = feedsOf(graph, 1);
  expect(agreement(await run(graph, feeds), await session.run(feeds))).toBeGreaterThan(90);
  await session.dispose();
});
