import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { aot } from "../../targets/aot.js";
import { supportOf } from "../../targets/support.js";
import { cases } from "../../wasm/cases.test.support.js";
import { compare } from "../../wasm/run-model.test.support.js";
import { differenceOnceSaid } from "../said.test.support.js";
import { simplifyGraph } from "../simplify.js";
import { sayPlaces } from "./say-places.js";

const { int } = attribute;
const size = (min: number, max: number) => fc.integer({ min, max });
const sizes = fc.array(size(1, 5), { minLength: 1, maxLength: 4 });
const difference = (graph: Graph) => differenceOnceSaid(graph, sayPlaces);

it("writes a diagonal of ones down", async () => {
  const problem = fc.record({ rows: size(1, 5), columns: size(1, 5), k: size(-3, 3), type: fc.constantFrom(undefined, 1, 7) }); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(problem, async ({ rows, columns, k, type }) => {
      const graph = graphOf({ x: ["float32", rows, columns] }, (input, b) => {
        const eye = b.add("EyeLike", [input("x")], {
          k: int(k),
          ...(type !== undefined && { dtype: int(type) }),
        });
        return { y: b.add("Mul", [input("x"), b.add("Cast", [eye], { to: int(1) })]) };
      });
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(await difference(graph)).toBe(0);
    }),
    { numRuns: cases(30) },
  );
});

it("lets through what a constant condition does", async () => {
  const problem = fc.record({ dims: sizes, kept: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), axis: size(-4, 3), isFlat: fc.boolean() }); // prettier-ignore
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, kept, axis, isFlat }) => {
      const along = ((axis % dims.length) + dims.length) % dims.length;
      const count = isFlat ? dims.reduce((a, b) => a * b) : (dims[along] ?? 1);
      const condition = [true, ...kept].slice(0, count);
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => {
        const wanted = b.add("Cast", [b.ints(condition.map(Number))], { to: int(9) });
        const attributes = isFlat ? {} : { axis: int(along) };
        return { y: b.add("Relu", [b.add("Compress", [input("x"), wanted], attributes)]) };
      });
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      const compiled = graph.fork();
      await simplifyGraph(compiled, {});
      expect([...sayPlaces(compiled).values()]).toEqual([]);
      expect(await compare(graph, { compiled })).toBe(0);
    }),
    { numRuns: cases(30) },
  );
});

it("marks the first of the largest along any axis", async () => {
  const problem = fc.record({ dims: sizes, axis: size(-4, 3) });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, axis }) => {
      const along = ((axis % dims.length) + dims.length) % dims.length;
      const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => ({
        y: b.add("Hardmax", [b.add("Round", [input("x")])], {
          axis: int(axis < 0 ? along - dims.length : along),
        }),
      }));
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      expect(await difference(graph)).toBe(0);
    }),
    { numRuns: cases(40) },
  );
});

it("turns sequences round that are as long as is said", async () => {
  const problem = fc.record({
    batch: size(1, 4),
    steps: size(1, 6),
    rest: fc.array(size(1, 3), { maxLength: 2 }),
    isBatchFirst: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, steps, rest, isBatchFirst }) => {
      const dims = isBatchFirst ? [batch, steps] : [steps, batch];
      const graph = graphOf(
        { x: ["float32", ...dims, ...rest], lengths: ["int64", batch] },
        (input, b) => ({
          y: b.add("ReverseSequence", [input("x"), input("lengths")], {
            batch_axis: int(isBatchFirst ? 0 : 1),
            time_axis: int(isBatchFirst ? 1 : 0),
          }),
        }),
      );
      expect((await supportOf(graph, aot)).obstacles).toEqual([]);
      const said = graph.fork();
      expect([...sayPlaces(said).values()]).toEqual([]);
      expect(await compare(graph, { compiled: said, integers: [1, steps] })).toBe(0);
    }),
    { numRuns: cases(40) },
  );
});

it("lets through no more than there is, whatever a condition says", async () => {
  const graph = graphOf({ x: ["float32", 2, 3] }, (input, b) => {
    const wanted = b.add("Cast", [b.ints([0, 1, 1, 1])], { to: int(9) });
    return { y: b.add("Relu", [b.add("Compress", [input("x"), wanted], { axis: int(0) })]) };
  });
  const compiled = graph.fork();
  await simplifyGraph(compiled, {});
  expect([...sayPlaces(compiled).values()]).toEqual([]);
  await simplifyGraph(compiled, {});
  const [y] = compiled.main.outputs.map((id) => compiled.value(id).type);
  expect(y).toMatchObject({ shape: [1, 3] });
});

it("writes down no more than a module holds", async () => {
  const graph = graphOf(
    { x: ["float32", 2 ** 20, 2 ** 20], lengths: ["int64", 2 ** 20] },
    (input, b) => ({
      eye: b.add("EyeLike", [input("x")]),
      y: b.add("ReverseSequence", [input("x"), input("lengths")], {
        batch_axis: int(0),
        time_axis: int(1),
      }),
    }),
  );
  expect([...sayPlaces(graph).values()]).toEqual([
    expect.stringMatching(/more than 1048576 elements/),
    expect.stringMatching(/more than 1048576 places/),
  ]);
});

it("writes down no more than a few tables that a small file asks for", () => {
  const graph = graphOf({ x: ["float32", 1024, 1024] }, (input, b) =>
    Object.fromEntries(
      Array.from({ length: 24 }, (_, k) => [
        `y${k}`,
        b.add("EyeLike", [input("x")], { k: int(k) }),
      ]),
    ),
  );
  const left = [...sayPlaces(graph).values()];
  expect(left.length).toBeGreaterThan(4);
  expect(new Set(left)).toEqual(new Set(["tables of 64 MB are written for others already"]));
});

it("says what it has no words for", async () => {
  const graph = graphOf({ x: ["float32", 4], c: ["bool", 4] }, (input, b) => ({
    y: b.add("ReduceSum", [b.add("Compress", [input("x"), input("c")])]),
  }));
  const { obstacles } = await supportOf(graph, aot);
  expect(obstacles.map(({ reason }) => reason)).toContain("its condition must be constant");
});
