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
const [toFloat, toHalf] = [{ to: attribute.int(1) }, { to: attribute.int(10) }];

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

it("still refuses a half that is more than taken and given", async () => {
  const graph = graphOf({ x: ["float16", 2, 3, 3] }, (input, b) => ({
    y: b.add("Det", [input("x")]),
  }));
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ op }) => op)).toContain("Det");
});
