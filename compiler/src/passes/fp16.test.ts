import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  byteSource,
  type Dtype,
  type Tensor as Dense,
  type Tensors,
  type TypedArray,
} from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { describe, expect, it } from "vitest";
import {
  edit,
  attribute,
  bodiesOf,
  type Graph,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { fp16 } from "./fp16.js";
import { branching, looping, network, scanning } from "./float16/float-networks.test.support.js";
import { quantizeWeights } from "./quantize-weights.js";
import { agreement, feedsOf, quantized, run } from "./quantization/engine-case.test.support.js";

const scalar = (type: Dtype, data: TypedArray): Dense => ({ type, dims: [], data });

const condition = (graph: Graph, taken: number): Tensors => ({
  ...feedsOf(graph),
  c: scalar("bool", Uint8Array.of(taken)),
});

/** Initializers that are still float32, by operator that reads them. */
function floatsIn(graph: Graph): readonly string[] {
  const readers: string[] = [];
  for (const { constant, uses } of graph.allValues())
    for (const use of uses)
      if (constant?.dtype === "float32" && use.kind === "node")
        readers.push(graph.node(use.node).op);
  return readers;
}

function floatsOf(graph: Graph, value: ValueId): boolean {
  const { type } = graph.value(value);
  return type.kind === "tensor" && type.dtype === "float32";
}

/** What a process prints that loads these graphs: an engine that crashes on one would end this process. */
async function loadedApart(graphs: readonly Graph[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pare-fp16-"));
  try {
    const paths = graphs.map((_, at) => join(folder, `${at}.onnx`));
    for (const [at, graph] of graphs.entries())
      await writeFile(paths[at] ?? "", (await encodeModel(graph)).proto);
    const load = `const { InferenceSession } = await import("onnxruntime-node");
      for (const path of ${JSON.stringify(paths)}) {
        await InferenceSession.create(path);
        process.stdout.write("loaded ");
      }`;
    const node = [process.execPath, ["--input-type=module", "--eval", load]] as const;
    const cwd = fileURLToPath(new URL(".", import.meta.url));
    const { stdout } = await promisify(execFile)(...node, { cwd });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("fp16", () => {
  const float = network();
  const feeds = {
    ...feedsOf(float),
    n: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
  } as const;

  it("agrees with the float model, whose inputs and outputs stay float32", async () => {
    const graph = await quantized(fp16, float, {}, null);
    expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(55);
    for (const id of [...graph.main.inputs.slice(0, 1), ...graph.main.outputs])
      expect(graph.value(id).type).toMatchObject({ dtype: "float32" });
    expect(
      [...graph.main.initializers].filter((id) => graph.constant(id)?.dtype === "float16"),
    ).toHaveLength(2);
  });

  it("keeps some operators in float32 with casts around them, and says so", async () => {
    const graph = await quantized(fp16, float, {}, null);
    expect(
      graph.journal.filter((entry) => entry.what === "left").map((entry) => entry.reason),
    ).toEqual(["Resize stays float32", "Min stays float32"]);
    const alone = graphOf({ x: ["float32", 2] }, (input, b) => {
      const half = b.add("Relu", [input("x")]);
      return { y: b.add("Min", [half, half]) };
    });
    expect((await quantized(fp16, alone)).journal).toContainEqual(
      expect.objectContaining({ what: "left", op: "Min" }),
    );
    const more = await quantized(fp16, float, { keepFloat: ["Conv"] }, null);
    expect(agreement(await run(float, feeds), await run(more, feeds))).toBeGreaterThan(55);
    expect(
      [...more.main.initializers].filter((id) => more.constant(id)?.dtype === "float16"),
    ).toHaveLength(0);
  });

  it("keeps what adds up while it scatters float32, which engines load in float16 and refuse to run", async () => {
    for (const reduction of ["none", "add"]) {
      const float = graphOf({ x: ["float32", 4, 3] }, (input, b) => {
        const to = { reduction: attribute.string(reduction) };
        const rows = [b.add("Neg", [input("x")]), b.ints([2, 0], [2, 1]), b.weights(2, 3)];
        const cells = [b.add("Neg", [input("x")]), b.ints([3, 0, 1], [1, 3]), b.weights(1, 3)];
        return { y: b.add("ScatterND", rows, to), z: b.add("ScatterElements", cells, to) };
      });
      const graph = await quantized(fp16, float, {}, null);
      const left = graph.journal.filter(({ what }) => what === "left").map(({ op }) => op);
      expect(left).toEqual(reduction === "none" ? [] : ["ScatterND", "ScatterElements"]);
      const feeds = feedsOf(float);
      expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(55);
    }
  });

  it("keeps float32 what it cannot infer the type of", async () => {
    const unknown = graphOf({ x: ["float32", 2, 3, 3] }, (input, b) => ({
      y: b.add("Det", [b.add("Relu", [input("x")])]),
    }));
    edit(unknown, "test", (editor) => {
      for (const id of unknown.main.outputs) editor.setType(id, tensorType("float32", [2]));
    });
    const graph = await quantized(fp16, unknown);
    const x = feedsOf(unknown);
    expect(agreement(await run(unknown, x), await run(graph, x))).toBeGreaterThan(55);
  });

  it("keeps float32 what is made of a value whose type nothing tells, and that alone", async () => {
    // Unique is an operator of which nothing is known here; onnxruntime has it.
    const graph = graphOf({ x: ["float32", 1, 3, 4, 4], i: ["float32", 4] }, (input, b) => {
      const map = b.add("Conv", [input("x"), b.weights(4, 3, 1, 1)]);
      const unique = b.add("Unique", [b.add("Floor", [input("i")])], { sorted: attribute.int(1) });
      const mean = b.add("ReduceMean", [unique], { keepdims: attribute.int(0) });
      return { y: b.add("Mul", [b.add("Relu", [map]), mean]) };
    });
    const half = await quantized(fp16, graph);
    expect(opsOf(half).filter((op) => op === "Cast")).toHaveLength(4);
    expect(floatsIn(half)).toEqual([]);
    const feeds = {
      ...feedsOf(graph),
      i: { ...scalar("float32", Float32Array.of(1, 3, 3, 1)), dims: [4] },
    };
    expect(agreement(await run(graph, feeds), await run(half, feeds))).toBeGreaterThan(50);
  });

  it("changes the dtype that an attribute gives where it gives float32 alone", async () => {
    const made = graphOf({ x: ["float32", 2, 2], n: ["int64", 2, 2] }, (input, b) => ({
      y: b.add("EyeLike", [input("n")]),
      z: b.add("EyeLike", [input("n")], { dtype: attribute.int(1) }),
      like: b.add("EyeLike", [input("x")]),
    }));
    const graph = await quantized(fp16, made);
    const dtypes = graph
      .order()
      .filter(({ op }) => op === "EyeLike")
      .map((node) => node.attributes.get("dtype"));
    expect(dtypes).toEqual([undefined, attribute.int(10), attribute.int(10)]);
  });

  it("gives a value that is an output twice twice", async () => {
    const twice = graphOf({ x: ["float32", 2, 3] }, (input, b) => ({
      y: b.add("Relu", [input("x")]),
    }));
    edit(twice, "test", (editor) => editor.addOutput(twice.main.outputs[0] ?? (0 as never)), {
      interface: true,
    });
    const graph = await quantized(fp16, twice);
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["y", "y"]);
  });

  it("converts both branches of an If, which then gives float16", async () => {
    const branches = branching();
    const graph = await quantized(fp16, branches);
    for (const taken of [0, 1]) {
      const given = condition(branches, taken);
      for (const engine of [cpu(), wasm()])
        expect(
          agreement(await run(branches, given), await run(graph, given, engine)),
        ).toBeGreaterThan(55);
    }
    expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(2);
    expect(floatsIn(graph)).toEqual([]);
  });

  it("converts the body of a Loop, and carries float32 from round to round", async () => {
    const loop = looping();
    const graph = await quantized(fp16, loop);
    const given = { ...feedsOf(loop), n: scalar("int64", BigInt64Array.of(5n)) };
    const expected = await run(loop, given);
    for (const engine of [cpu(), wasm()])
      expect(agreement(expected, await run(graph, given, engine))).toBeGreaterThan(50);
    expect(floatsIn(graph)).toEqual([]);
    const [body] = graph.order().flatMap(bodiesOf);
    const types = [...(body?.inputs ?? []), ...(body?.outputs ?? [])].map((id) => {
      const { type } = graph.value(id);
      return type.kind === "tensor" ? type.dtype : type.kind;
    });
    expect(types).toEqual(["int64", "bool", "float32", "bool", "float32", "float32"]);
    expect(graph.journal.filter(({ what }) => what === "left")).toEqual([]);
  });

  it("converts the body of a Scan", async () => {
    const scan = scanning();
    const graph = await quantized(fp16, scan);
    const given = feedsOf(scan);
    expect(agreement(await run(scan, given), await run(graph, given))).toBeGreaterThan(50);
    expect(floatsIn(graph)).toEqual([]);
  });

  it("leaves a body that it cannot type, and says so", async () => {
    const branches = branching(true);
    const graph = await quantized(fp16, branches);
    const given = condition(branches, 1);
    expect(agreement(await run(branches, given), await run(graph, given))).toBeGreaterThan(55);
    expect(graph.journal.filter(({ what }) => what === "left")).toMatchObject([
      { op: "If", reason: expect.stringMatching(/^a body stays float32: the type of .* in it/) },
    ]);
    expect(floatsIn(graph)).toHaveLength(1);
  });

  it("leaves an If that has a body under another name, which an engine may load and never run", async () => {
    const graph = branching(false, "other_branch");
    const chosen = graph.order().find(({ op }) => op === "If")?.outputs[0] ?? null;
    edit(graph, "declare", (editor) => {
      if (chosen !== null) editor.setType(chosen, tensorType("float32", [2, 3]));
    });
    await fp16.create(fp16.parse({})).run(graph, {});
    expect(graph.journal.filter(({ what }) => what === "left")).toMatchObject([
      { op: "If", reason: "the bodies of If stay float32" },
    ]);
  });

  it("keeps what it is asked to keep, bodies and all, telling names from operators", async () => {
    const branches = branching();
    for (const keepFloat of [["If"], { ops: ["If"] }, { nodes: ["branches"] }]) {
      const graph = await quantized(fp16, branches, { keepFloat });
      const given = condition(branches, 0);
      expect(agreement(await run(branches, given), await run(graph, given))).toBeGreaterThan(55);
      expect(graph.journal.filter(({ what }) => what === "left")).toMatchObject([
        { op: "If", reason: "it was asked to stay float32" },
      ]);
      expect(floatsIn(graph)).toHaveLength(2);
    }
    const none = await quantized(fp16, branches, { keepFloat: { nodes: ["If"] } });
    expect(floatsIn(none)).toEqual([]);
  });

  it("halves a model whose weights are all inside branches", async () => {
    const path = new URL("../../../fixtures/models/silero-vad-v5.onnx", import.meta.url);
    const proto = byteSource(new Uint8Array(await readFile(path)));
    const float = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
    const graph = await quantized(fp16, float, {}, null);
    const bytes = async (one: Graph): Promise<number> => (await encodeModel(one)).proto.length;
    expect(await bytes(graph)).toBeLessThan((await bytes(float)) * 0.55);
    const sine = new Float32Array(512).map((_, i) => 0.3 * Math.sin(i / 3));
    const given = {
      input: { type: "float32", dims: [1, 512], data: sine },
      state: { type: "float32", dims: [2, 1, 128], data: new Float32Array(256).fill(0.1) },
      sr: scalar("int64", BigInt64Array.of(16000n)),
    } as const;
    // It squares small numbers, of which float16 has few.
    expect(agreement(await run(float, given), await run(graph, given))).toBeGreaterThan(30);
  });

  it("keeps a Transpose float32 that the CPU engine would crash on", async () => {
    const perms = [
      [1, 0, 2],
      [1, 2, 0],
      [1, 2, 0, 3],
      [0, 2, 1],
    ];
    const floats = perms.flatMap((perm) =>
      [true, false].map((isMatrix) => {
        const dims = [2, 3, 4, 5].slice(0, perm.length);
        const given = perm.map((axis) => dims[axis] ?? 1);
        const right = [...(isMatrix ? [] : given.slice(0, -2)), ...given.slice(-1), 3];
        return graphOf({ x: ["float32", ...dims] }, (input, b) => {
          const turned = b.add("Transpose", [input("x")], { perm: attribute.ints(perm) });
          return { y: b.add("MatMul", [turned, b.weights(...right)]) };
        });
      }),
    );
    const graphs = await Promise.all(floats.map((float) => quantized(fp16, float, {}, null)));
    expect(await loadedApart(graphs)).toBe("loaded ".repeat(8));
    for (const [at, float] of floats.entries()) {
      const graph = graphs[at] ?? float;
      const feeds = feedsOf(float);
      expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(55);
    }
    const kept = graphs.map((graph) => graph.journal.some(({ what }) => what === "left"));
    expect(kept).toEqual([true, false, true, false, true, false, false, false]);
  });

  describe("on a model that is quantized already", () => {
    const model = (rows: number): Graph =>
      graphOf({ n: ["int64", 1], x: ["float32", 1, 16] }, (input, b) => {
        const steps = [
          b.floats([1 / 64]),
          b.editor.constant("z", Tensor.of("int8", [], Int8Array.of(0))),
        ];
        const rounded = b.add("QuantizeLinear", [input("x"), ...steps]);
        const x = b.add("DequantizeLinear", [rounded, ...steps]);
        const product = b.add("Relu", [b.add("MatMul", [x, b.weights(16, 16)])]);
        const seen = b.add("QuantizeLinear", [product, ...steps]);
        const row = b.add("Gather", [b.weights(rows, 16), input("n")]);
        return { y: b.add("DequantizeLinear", [seen, ...steps]), row };
      });

    it("leaves what stands between integers, and halves what does not", async () => {
      const float = model(512);
      const graph = await quantized(fp16, float, {}, null);
      expect(opsOf(graph)).toEqual(expect.arrayContaining([...opsOf(float)]));
      expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(1);
      expect(floatsIn(graph).filter((op) => !op.endsWith("Linear"))).toEqual(["MatMul"]);
      const already = graph.journal.filter(({ reason }) => reason === "it is quantized already");
      expect(already.map(({ op }) => op)).toEqual(["MatMul", "Relu"]);
      const feeds = {
        ...feedsOf(float),
        n: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
      } as const;
      expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(55);
    });

    it("leaves all of it where casts would take more than is saved", async () => {
      const float = model(1);
      const graph = await quantized(fp16, float, {}, null);
      expect(opsOf(graph)).toEqual(opsOf(float));
      expect(graph.journal.filter(({ what }) => what === "left")).toMatchObject([
        { op: "QuantizeLinear", reason: expect.stringMatching(/would only add casts/) },
      ]);
    });

    it("converts what has integers for weights alone", async () => {
      const float = graphOf({ x: ["float32", 1, 16] }, (input, b) => ({
        y: b.add("MatMul", [input("x"), b.weights(16, 64)]),
      }));
      const stored = await quantized(quantizeWeights, float, { decode: "dequantize" });
      expect(opsOf(stored)).toEqual(["DequantizeLinear", "MatMul"]);
      const graph = await quantized(fp16, stored);
      expect(
        graph
          .order()
          .find(({ op }) => op === "MatMul")
          ?.outputs.map((id) => id !== null && graph.value(id).type),
      ).toMatchObject([{ dtype: "float16" }]);
      expect(
        agreement(await run(float, feedsOf(float)), await run(graph, feedsOf(float))),
      ).toBeGreaterThan(30);
    });
  });

  it("divides in float32 by what float16 cannot hold", async () => {
    const large = graphOf({ x: ["float32", 1, 2, 3] }, (input, b) => {
      const [scale, shift] = [b.weights(2), b.weights(2)];
      const normal = b.add("BatchNormalization", [input("x"), scale, shift, b.weights(2), b.floats([1e7, 4e5])]); // prettier-ignore
      return { y: b.add("Relu", [normal]), z: b.add("Div", [input("x"), b.floats([1e5], [1])]) };
    });
    const graph = await quantized(fp16, large);
    const kept = graph.journal.filter(({ reason }) =>
      reason.endsWith(", which float16 cannot hold"),
    );
    expect(kept.map(({ op }) => op).sort()).toEqual(["BatchNormalization", "Div"]);
    const data = Float32Array.from([1e5, -2e5, 3e5, 1e4, 2e4, -3e4]);
    const feeds: Tensors = { x: { type: "float32", dims: [1, 2, 3], data } };
    const [expected, made] = [await run(large, feeds), await run(graph, feeds)];
    expect(agreement(expected, made)).toBeGreaterThan(50);
  });

  it("computes in float32 with a number that float16 cannot hold, and is no mask", async () => {
    const price = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("Add", [b.add("MatMul", [input("x"), b.weights(2, 2)]), b.floats([350_000, 1])]),
    }));
    const feeds = feedsOf(price);
    const graph = await quantized(fp16, price);
    expect(graph.journal).toContainEqual(
      expect.objectContaining({
        what: "left",
        op: "Add",
        reason: expect.stringMatching(/reads .*cannot hold/),
      }),
    );
    const [before, after] = [await run(price, feeds), await run(graph, feeds)];
    for (const at of [0, 1])
      expect(Number(after["y"]?.data[at])).toBeCloseTo(Number(before["y"]?.data[at]), 1);
  });

  it("leaves in float32 what the file casts to it between float16, and no more", async () => {
    const cast = (to: number) => ({ to: attribute.int(to) });
    const norm = graphOf({ x: ["float32", 2, 4] }, (input, b) => {
      const half = b.add("Cast", [input("x")], cast(10));
      const exact = b.add("Cast", [half], cast(1));
      const mean = b.add("ReduceMean", [b.add("Mul", [exact, exact]), b.ints([-1])]);
      const normal = b.add("Div", [exact, b.add("Sqrt", [mean])]);
      const back = b.add("Cast", [normal], cast(10));
      return { y: b.add("Tanh", [b.add("Cast", [back], cast(1))]), z: b.add("Neg", [input("x")]) };
    });
    const data = Float32Array.from({ length: 8 }, (_, at) => 400 + at);
    const feeds: Tensors = { x: { type: "float32", dims: [2, 4], data } };
    const graph = await quantized(fp16, norm);
    const kept = graph.journal.filter(({ reason }) => reason.includes("between float16"));
    expect(kept.map(({ op }) => op)).toEqual(["Mul", "ReduceMean", "Sqrt", "Div", "Cast", "Tanh"]);
    const changed = graph.journal.filter(({ what }) => what === "changed");
    expect(changed.map(({ op }) => op)).toContain("Neg");
    expect(agreement(await run(norm, feeds), await run(graph, feeds))).toBeGreaterThan(60);
  });

  it("counts in float32, up to where angles of places meet what the model computes", async () => {
    const places = graphOf({ x: ["float32", 1, 2100, 4], ids: ["int64", 1, 2100] }, (input, b) => {
      const at = b.add("Cast", [b.add("Unsqueeze", [input("ids"), b.ints([2])])], {
        to: attribute.int(1),
      });
      const angles = b.add("MatMul", [at, b.floats([1, 0.5, 0.25, 0.125], [1, 1, 4])]);
      return { y: b.add("Mul", [b.add("Relu", [input("x")]), b.add("Sin", [angles])]) };
    });
    const graph = await quantized(fp16, places);
    const kept = graph.journal.filter(({ reason }) => reason.startsWith("it counts"));
    expect(kept.map(({ op }) => op)).toEqual(["MatMul", "Sin"]);
    const data = BigInt64Array.from({ length: 2100 }, (_, at) => BigInt(at));
    const feeds: Tensors = { ...feedsOf(places), ids: { type: "int64", dims: [1, 2100], data } };
    expect(agreement(await run(places, feeds), await run(graph, feeds))).toBeGreaterThan(50);
  });

  it("counts through whatever moves and computes elements: places are in the buckets that they were in", async () => {
    const { int, ints } = attribute;
    const buckets = graphOf({ x: ["float32", 1, 64, 4], ids: ["int64", 1, 64] }, (input, b) => {
      const at = b.add("Cast", [b.add("Add", [input("ids"), b.ints([1], [])])], { to: int(1) });
      const spread = b.add("Tile", [
        b.add("Log", [b.add("Div", [at, b.floats([8], [])])]),
        b.ints([1, 1]),
      ]);
      const scaled = b.add("Mul", [spread, b.floats([8 / Math.log(16)], [])]);
      const bucket = b.add("Cast", [b.add("Floor", [scaled])], { to: int(7) });
      const hot = b.add("Cast", [b.add("Mod", [bucket, b.ints([4], [])])], { to: int(1) });
      const row = b.add("Unsqueeze", [hot, b.ints([2])]);
      return {
        y: b.add("Add", [b.add("Relu", [input("x")]), row]),
        z: b.add("Transpose", [row], { perm: ints([0, 2, 1]) }),
      };
    });
    const data = BigInt64Array.from({ length: 64 }, (_, at) => BigInt(at));
    const feeds: Tensors = { ...feedsOf(buckets), ids: { type: "int64", dims: [1, 64], data } };
    const graph = await quantized(fp16, buckets, {}, null);
    const floats = (op: string) => graph.order().filter((node) => node.op === op).every(({ outputs: [y] }) => y != null && floatsOf(graph, y)); // prettier-ignore
    for (const op of ["Div", "Log", "Tile", "Mul", "Floor"])
      expect([op, floats(op)]).toEqual([op, true]);
    const [{ z: before }, { z: after }] = [await run(buckets, feeds), await run(graph, feeds)];
    expect(after?.data).toEqual(before?.data);
  });

  it("computes in float16 what is made of pixels", async () => {
    const picture = graphOf({ x: ["int32", 1, 3, 4, 4] }, (input, b) => {
      const numbers = b.add("Cast", [input("x")], { to: attribute.int(1) });
      return { y: b.add("Conv", [numbers, b.weights(2, 3, 1, 1)]) };
    });
    const graph = await quantized(fp16, picture);
    expect(graph.journal).toContainEqual(expect.objectContaining({ what: "changed", op: "Conv" }));
  });

  it("keeps rows finite that are masked whole, also by a power of ten", async () => {
    const mask = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("Softmax", [b.add("Add", [input("x"), b.floats([-1e6, -1e6], [1, 2])])]),
    }));
    const { y } = await run(await quantized(fp16, mask), feedsOf(mask));
    expect([...(y?.data ?? [])].every(Number.isFinite)).toBe(true);
  });

  it("multiplies in float32 by what float16 would make larger", async () => {
    const tiny = (dims: readonly number[]) =>
      Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) =>
        at % 2 === 0 ? 1e-20 : -2e-20,
      );
    const model = graphOf({ x: ["float32", 1, 8] }, (input, b) => {
      const gone = b.add("MatMul", [input("x"), b.floats(tiny([8, 8]), [8, 8])]);
      const scaled = b.add("Mul", [input("x"), b.floats([1e-9])]);
      const sum = b.add("Add", [b.add("Add", [gone, scaled]), b.floats([1e-12])]);
      return { y: b.add("Softmax", [b.add("Mul", [sum, b.floats([3e4])])]) };
    });
    const graph = await quantized(fp16, model, {}, null);
    const kept = graph.journal.filter(({ reason }) => reason.includes("smaller than"));
    expect(kept.map(({ op }) => op)).toEqual(["MatMul", "Mul"]);
    const feeds: Tensors = {
      x: {
        type: "float32",
        dims: [1, 8],
        data: Float32Array.from({ length: 8 }, (_, at) => at * 400),
      },
    };
    expect(agreement(await run(model, feeds), await run(graph, feeds))).toBeGreaterThan(50);
  });

  it("computes in float32 what is small throughout on samples", async () => {
    const model = graphOf({ x: ["float32", 1, 8] }, (input, b) => {
      const power = b.add("Pow", [b.add("Mul", [input("x"), b.floats([1e-3])]), b.floats([3])]);
      return { y: b.add("Sigmoid", [b.add("Mul", [power, b.floats([5e4])])]) };
    });
    const graph = await quantized(fp16, model);
    const kept = graph.journal.filter(({ reason }) => reason.includes("all digits from"));
    expect(kept.map(({ op }) => op)).toEqual(["Pow", "Mul"]);
  });

  it("clamps what float16 cannot hold", async () => {
    const mask = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("Softmax", [b.add("Add", [input("x"), b.floats([-3.4e38, 0], [1, 2])])]),
    }));
    const { y } = await run(await quantized(fp16, mask), feedsOf(mask));
    expect([...(y?.data ?? [])]).toEqual([0, 1]);
  });
});
