import { expect, it } from "vitest";
import { attribute, type Graph, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { differenceOfNumbers, runModule } from "../run-model.test.support.js";

const { NaN: none } = Number;

/** A function of pairs of floats that are given. */
async function difference(
  pairs: readonly (readonly [number, number])[],
  build: (b: Builder, x: ValueId, y: ValueId) => ValueId,
): Promise<string | undefined> {
  const dims = [pairs.length];
  const graph = graphOf({ x: ["float32", ...dims], y: ["float32", ...dims] }, (input, b) => ({
    result: build(b, input("x"), input("y")),
    other: b.add("Neg", [input("y")]),
  }));
  const floats = (at: 0 | 1) => ({
    type: "float32" as const,
    dims,
    data: Float32Array.from(pairs, (pair) => pair[at]),
  });
  return differenceOfNumbers(graph, { x: floats(0), y: floats(1) });
}

const alone = (...numbers: readonly number[]) => numbers.map((x) => [x, x] as const);

it("computes powers of e to infinity and to 0", async () => {
  const given = alone(-Infinity, -200, -104, -88, -87, -1, 0, 1, 88.5, 88.7, 88.73, 100, Infinity);
  expect(await difference([...given, [none, 0]], (b, x) => b.add("Exp", [x]))).toBeUndefined();
  const back = (b: Builder, x: ValueId) => b.add("Log", [b.add("Exp", [x])]);
  expect(await difference(alone(-Infinity, -86, 0, 88, Infinity), back)).toBeUndefined();
});

it("raises to powers as C does", async () => {
  const pairs = [-Infinity, -2, -1, -0, 0, 0.5, 1, 2, Infinity, none].flatMap((x) =>
    [-Infinity, -3, -2, -0.5, 0, 0.5, 1, 3, Infinity, none].map((y) => [x, y] as const),
  );
  const more = [
    [10, 38.4],
    [10, 38.6],
    [1e-30, 2],
    [1e30, -1.2],
  ] as const;
  expect(await difference([...pairs, ...more], (b, x, y) => b.add("Pow", [x, y]))).toBeUndefined();
});

it("leaves all of a number that is divided by infinity", async () => {
  const pairs = [5, -5, Infinity, none].flatMap((x) =>
    [Infinity, -Infinity, 3].map((y) => [x, y] as const),
  );
  const fmod = { fmod: attribute.int(1) };
  expect(await difference(pairs, (b, x, y) => b.add("Mod", [x, y], fmod))).toBeUndefined();
});

it.each([0, 1e-39, 1e-38, 3, 3e38, Infinity])("divides by %d, and that by numbers", async (c) => {
  const given = alone(0, -0, 1e-39, 1e-30, 1, -7, 3e38, Infinity, none);
  const constant = (b: Builder) => b.floats([c], []);
  expect(await difference(given, (b, x) => b.add("Div", [x, constant(b)]))).toBeUndefined();
  expect(await difference(given, (b, x) => b.add("Div", [constant(b), x]))).toBeUndefined();
});

it.each([41, 47, 188, -110, 0.3, 1024])("divides by %d once: what is whole stays so", async (c) => {
  const given = alone(...Array.from({ length: 200 }, (_, at) => Math.fround(at * c)), 9);
  const floor = (b: Builder, x: ValueId) => b.add("Floor", [b.add("Div", [x, b.floats([c], [])])]);
  expect(await difference(given, floor)).toBeUndefined();
});

it.each(["ReduceMean", "AveragePool", "GlobalAveragePool"])(
  "says of as many ones that they are one on average: %s",
  async (op) => {
    for (const count of [41, 47, 188]) {
      const graph = graphOf({ x: ["float32", 1, 1, 1, count] }, (input, b) => {
        const kernel = { kernel_shape: attribute.ints([1, count]) };
        const mean = b.add(op, [input("x")], op === "AveragePool" ? kernel : {});
        return { y: b.add("Floor", [mean]) };
      });
      const ones = new Float32Array(count).fill(1);
      const x = { type: "float32" as const, dims: [1, 1, 1, count], data: ones };
      expect(await differenceOfNumbers(graph, { x })).toBeUndefined();
    }
  },
);

it("tells a zero from one below 0", async () => {
  const chosen = (b: Builder, x: ValueId, zero: number) => {
    const isAbove = b.add("Greater", [x, b.floats([0], [])]);
    return b.add("Reciprocal", [b.add("Where", [isAbove, x, b.floats([zero], [])])]);
  };
  const both = (b: Builder, x: ValueId) =>
    b.add("Concat", [chosen(b, x, 0), chosen(b, x, -0)], { axis: attribute.int(0) });
  expect(await difference(alone(-1, 2), both)).toBeUndefined();
});

/** The integers of an output. */
async function integersOf(graph: Graph, data: BigInt64Array<ArrayBuffer>): Promise<unknown[]> {
  const plan = await planOf(graph);
  const x = { type: "int64" as const, dims: [data.length], data };
  return enginesHere.map((engine) => [...(runModule(plan, { x }, engine)["y"]?.data ?? [])]);
}

const long = (b: Builder, ...values: readonly bigint[]): ValueId => {
  const dims = values.length === 1 ? [] : [values.length];
  return b.editor.constant("long", Tensor.of("int64", dims, BigInt64Array.from(values)));
};

it("keeps all of a long integer that it pads or marks with", async () => {
  const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
  const padded = graphOf({ x: ["int64", 2] }, (input, b) => ({
    y: b.add("Pad", [input("x"), b.ints([1, 2]), long(b, most)]),
  }));
  const marked = graphOf({ x: ["int64", 2] }, (input, b) => {
    const places = b.add("Add", [input("x"), b.ints([0], [])]);
    return { y: b.add("OneHot", [places, b.ints([2], []), long(b, least, most)]) };
  });
  for (const each of await integersOf(padded, BigInt64Array.of(3n, 4n)))
    expect(each).toEqual([most, 3n, 4n, most, most]);
  for (const each of await integersOf(marked, BigInt64Array.of(0n, 1n)))
    expect(each).toEqual([most, least, least, most]);
});
