import { floatsToHalves, halvesToFloats, type Tensors } from "@pare/runtime/format";
import { aot as modules } from "@pare/runtime/aot";
import { expect, it } from "vitest";
import { attribute, type Graph } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { planOf } from "../compile.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { runByReference, runModule } from "../run-model.test.support.js";

/** All of some exponents: what is less than normal, the least and the largest that are, one between, and what is no number. */
const halves = Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter((bits) =>
  [0, 1, 15, 30, 31].includes((bits >> 10) & 31),
);
const toFloat = { to: attribute.int(1) };
const [toHalf, toDouble] = [{ to: attribute.int(10) }, { to: attribute.int(11) }];

/** By each engine's module and by the reference. */
async function runsOf(graph: Graph, feeds: Tensors): Promise<readonly Tensors[]> {
  const plan = await planOf(graph);
  return [
    runByReference(plan, feeds),
    ...enginesHere.flatMap((engine) =>
      [false, true].map((asserted) => runModule(plan, feeds, engine, asserted)),
    ),
  ];
}

it("widens halves exactly", async () => {
  const graph = graphOf({ x: ["float16", halves.length] }, (input, b) => ({
    y: b.add("Neg", [b.add("Cast", [input("x")], toFloat)]),
  }));
  const expected = halvesToFloats(halves).map((x) => -x);
  for (const { y } of await runsOf(graph, {
    x: { type: "float16", dims: [halves.length], data: halves },
  }))
    expect(y?.data).toEqual(expected);
});

it("rounds floats to the nearest half, ties to even", async () => {
  const values = [...halvesToFloats(halves)].filter((x) => Number.isFinite(x));
  const between = values.flatMap((x, at) => {
    const middle = (x + (values[at + 1] ?? x)) / 2;
    return [x, middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23)];
  });
  const edges = [0, -0, NaN, Infinity, -Infinity, 65_519, 65_520, 1e30, -1e-30, 2 ** -25, 2 ** -24];
  const floats = Float32Array.from([...between, ...edges]);
  const graph = graphOf({ x: ["float32", floats.length] }, (input, b) => ({
    y: b.add("Cast", [b.add("Neg", [input("x")])], toHalf),
  }));
  const expected = floatsToHalves(floats.map((x) => -x));
  const isNumber = (bits: number): boolean => (bits & 0x7fff) <= 0x7c00;
  for (const { y } of await runsOf(graph, {
    x: { type: "float32", dims: [floats.length], data: floats },
  })) {
    expect(y?.type).toBe("float16");
    const found = y?.data instanceof Uint16Array ? y.data : new Uint16Array();
    expect(found.filter(isNumber)).toEqual(expected.filter(isNumber));
    expect([...found].findIndex((bits, at) => isNumber(bits) !== isNumber(expected[at] ?? 0))).toBe(
      -1,
    );
  }
});

it.each([1, 2, 7])("rounds and widens %i doubles", async (count) => {
  const edges = [1 / 3, -1e300, 1e-300, NaN, Infinity, 2 ** 24 + 1, -0].slice(0, count);
  const x = Float64Array.from(edges);
  const graph = graphOf({ x: ["float64", count] }, (input, b) => ({
    y: b.add("Cast", [b.add("Neg", [b.add("Cast", [input("x")], toFloat)])], toDouble),
  }));
  const expected = Float64Array.from(x, (one) => -Math.fround(one));
  for (const { y } of await runsOf(graph, { x: { type: "float64", dims: [count], data: x } })) {
    expect(y?.type).toBe("float64");
    expect(y?.data).toEqual(expected);
  }
});

it.each(["float16", "float64"] as const)("takes a scalar in %s as one", async (dtype) => {
  const graph = graphOf({ x: ["float32", 2], t: [dtype] }, (input, b) => ({
    y: b.add("Mul", [input("x"), b.add("Cast", [input("t")], toFloat)]),
  }));
  const session = await modules().load(await aot.emit(graph, {}));
  const data = dtype === "float16" ? Uint16Array.of(0xc000) : Float64Array.of(-2);
  const { y } = await session.run({
    x: { type: "float32", dims: [2], data: Float32Array.of(1, 3) },
    t: { type: dtype, dims: [], data },
  });
  await session.dispose();
  expect(y?.data).toEqual(Float32Array.of(-2, -6));
});

it("is a module's whose model computes in float64, and gives what it takes", async () => {
  const graph = graphOf({ x: ["float64", 1, 3] }, (input, b) => ({
    y: b.add("Sigmoid", [b.add("Relu", [input("x")])]),
    z: b.add("Neg", [input("x")]),
  }));
  expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const session = await modules().load(await aot.emit(graph, {}));
  expect([...session.inputs, ...session.outputs].map(({ name, type }) => [name, type])).toEqual([
    ["x", "float64"],
    ["y", "float64"],
    ["z", "float64"],
  ]);
  const data = Float64Array.of(1, -2, 0.1);
  const { y, z } = await session.run({ x: { type: "float64", dims: [1, 3], data } });
  await session.dispose();
  expect(Number(y?.data[0])).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
  expect(z?.data).toEqual(Float64Array.of(-1, 2, -Math.fround(0.1)));
});

it("is a module's whose model computes in float16, and gives what it takes", async () => {
  const graph = graphOf({ x: ["float16", 1, 3] }, (input, b) => ({
    y: b.add("Relu", [input("x")]),
    z: b.add("Neg", [input("x")]),
  }));
  expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const session = await modules().load(await aot.emit(graph, {}));
  expect([...session.inputs, ...session.outputs].map(({ name, type }) => [name, type])).toEqual([
    ["x", "float16"],
    ["y", "float16"],
    ["z", "float16"],
  ]);
  const data = Uint16Array.of(0x3c01, 0xbc01, 0x7bff);
  const { y, z } = await session.run({ x: { type: "float16", dims: [1, 3], data } });
  await session.dispose();
  expect(y?.data).toEqual(Uint16Array.of(0x3c01, 0, 0x7bff));
  expect(z?.data).toEqual(Uint16Array.of(0xbc01, 0x3c01, 0xfbff));
});

it("is a module's that gives a half as it takes it, or as it is stored", async () => {
  const graph = graphOf({ x: ["float16", 1, 3], state: ["float16", 1, 3] }, (input, b) => {
    const stored = b.add("Cast", [b.floats([1.5, -2])], toHalf);
    return {
      y: b.add("Relu", [input("x")]),
      same: b.add("Identity", [input("x")]),
      next: b.add("Identity", [input("state")]),
      again: b.add("Identity", [input("state")]),
      stored: b.add("Identity", [stored]),
    };
  });
  expect((await supportOf(graph, aot)).obstacles).toEqual([]);
  const session = await modules().load(await aot.emit(graph, {}));
  const x = Uint16Array.of(0x3c01, 0xbc01, 0x0001);
  const state = Uint16Array.of(0x7bff, 0xfc00, 0x8000);
  const given = await session.run({
    x: { type: "float16", dims: [1, 3], data: x },
    state: { type: "float16", dims: [1, 3], data: state },
  });
  await session.dispose();
  expect(given["same"]?.data).toEqual(x);
  expect(given["next"]?.data).toEqual(state);
  expect(given["again"]?.data).toEqual(state);
  expect(given["stored"]?.data).toEqual(Uint16Array.of(0x3e00, 0xc000));
});

it("still refuses a half that is more than taken and given", async () => {
  const graph = graphOf({ x: ["float16", 2, 3, 3] }, (input, b) => ({
    y: b.add("Det", [input("x")]),
  }));
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ op }) => op)).toContain("Det");
});
