import { isPareError } from "@pare/runtime/format";
import { expect, it, vi } from "vitest";
import { attribute, Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { compileToWasm, refusalText } from "./compile.js";
import { factsSection } from "./emit.js";
import { boundRows } from "./lower/bounded-rows.js";
import { refusals } from "./lower/refusals.js";

const dense = (): Graph =>
  graphOf({ 'é🙂"x': ["float32", 2, 5] }, (input, b) => ({
    'y"': b.add("Relu", [b.add("MatMul", [input('é🙂"x'), b.weights(5, 3)])]),
  }));

function factsOf(bytes: Uint8Array): unknown {
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(bytes.slice().buffer),
    factsSection,
  );
  if (section === undefined) throw new Error("There is no such section.");
  const ascii = new Uint8Array(section);
  expect(ascii.every((byte) => byte < 0x7f)).toBe(true);
  return JSON.parse(String.fromCharCode(...ascii));
}

it("says in ASCII where inputs, outputs and weights lie, whatever their names are", async () => {
  const inside = await compileToWasm(dense());
  expect(inside.weights).toBeUndefined();
  expect(factsOf(inside.simd)).toEqual({
    inputs: [{ name: 'é🙂"x', type: "float32", dims: [2, 5], at: expect.any(Number) }],
    outputs: [{ name: 'y"', type: "float32", dims: [2, 3], at: expect.any(Number) }],
  });
  const beside = await compileToWasm(dense(), { weights: "beside" });
  expect(factsOf(beside.simd)).toMatchObject({
    weights: { bytes: beside.memory.constantBytes, at: expect.any(Number) },
  });
  expect(beside.weights?.length).toBe(beside.memory.constantBytes);
  expect(beside.simd.length).toBeLessThan(inside.simd.length);
});

it("makes the same bytes of the same graph, and one module where no instruction differs", async () => {
  const [first, second] = [await compileToWasm(dense()), await compileToWasm(dense())];
  expect(first.simd).toEqual(second.simd);
  expect(first.relaxed).toEqual(second.relaxed);
  expect(first.relaxed).not.toEqual(first.simd);
  const plain = graphOf({ x: ["float32", 7] }, (input, b) => ({ y: b.add("Relu", [input("x")]) }));
  expect((await compileToWasm(plain)).relaxed).toBeUndefined();
});

it("refuses with every reason at once, as data and as one error", async () => {
  const graph = graphOf(
    { x: ["float32", "N", 4], i: ["float64", 3], z: ["float32", 4] },
    (input, b) => ({
      a: b.add("Hardmax", [input("x")]),
      b: b.add("Relu", [b.add("Hardmax", [input("z")])]),
      c: b.add("Relu", [input("i")]),
      d: b.add("LayerNormalization", [input("z"), input("z")]),
      e: b.add("Softplus", [input("x")]),
    }),
  );
  expect(refusals(boundRows(graph))).toEqual([
    {
      kind: "dimension",
      what: "N",
      why: "its size is not fixed",
      hint: "--dim N=…",
      where: ["x"],
      count: 1,
    },
    {
      kind: "type",
      what: "i",
      why: "the model takes or gives float64",
      where: ["i"],
      count: 1,
    },
    { kind: "type", what: "c", why: "the model takes or gives float64", where: ["c"], count: 1 },
    {
      kind: "operator",
      what: "Hardmax",
      why: "it is not compiled",
      where: ["a", expect.stringMatching(/^Hardmax_/)],
      count: 2,
    },
    { kind: "type", what: "Relu", why: "it computes with float64", where: ["c"], count: 1 },
    {
      kind: "operator",
      what: "LayerNormalization",
      why: "scale and bias must be constant, and as large as what is normalized",
      where: ["d"],
      count: 1,
    },
  ]);
  const error: unknown = await compileToWasm(graph).catch((thrown: unknown) => thrown);
  expect(isPareError(error) && error.code).toBe("UNSUPPORTED_OP");
  for (const refusal of refusals(boundRows(graph)))
    expect(isPareError(error) && error.message).toContain(refusalText(refusal));
  expect(isPareError(error) && error.hint).toBe("Fix what the model leaves open: --dim N=….");
});

it("looks at twice as much where twice as many parts are joined", async () => {
  const looked = async (parts: number) => {
    const graph = graphOf({ x: ["float32", 1, 4] }, (input, b) => {
      const made = Array.from({ length: parts }, () => b.add("Mul", [input("x"), b.weights(4)]));
      return { y: b.add("Relu", [b.add("Concat", made, { axis: attribute.int(1) })]) };
    });
    const value = vi.spyOn(Graph.prototype, "value");
    await compileToWasm(graph);
    const { length } = value.mock.calls;
    value.mockRestore();
    return length;
  };
  const [one, two] = [await looked(100), await looked(200)];
  expect(one).toBeGreaterThan(100);
  expect(two).toBeLessThan(2.1 * one);
});

it("refuses what would read beyond the model", async () => {
  const negative = { pads: attribute.ints([0, -1, 0, 0]) };
  const graph = graphOf({ x: ["float32", 1, 2, 5, 5] }, (input, b) => ({
    y: b.add("Conv", [input("x"), b.weights(2, 2, 3, 3)], negative),
    z: b.add("MaxPool", [input("x")], { kernel_shape: attribute.ints([2, 2]) }),
  }));
  expect(refusals(boundRows(graph))).toEqual([
    {
      kind: "operator",
      what: "Conv",
      why: "negative pads are not compiled",
      where: ["y"],
      count: 1,
    },
  ]);
});
