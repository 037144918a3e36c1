import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, edit, type Editor, type Graph, tensorType } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { cases } from "../cases.test.support.js";
import { compileToWasm, refusalsOf } from "../compile.js";
import { compare } from "../run-model.test.support.js";

const size = (min: number, max: number) => fc.integer({ min, max });
const windows = ["HannWindow", "HammingWindow", "BlackmanWindow"] as const;

function windowed(op: string, count: number, periodic: boolean | undefined, type?: number): Graph {
  return graphOf({ x: [type === 7 ? "int64" : "float32", 1, 1] }, (input, b) => {
    const made = b.add(op, [b.ints([count], [])], {
      ...(periodic !== undefined && { periodic: attribute.int(periodic ? 1 : 0) }),
      ...(type !== undefined && { output_datatype: attribute.int(type) }),
    });
    return { y: b.add("Add", [made, input("x")]) };
  });
}

it("makes windows as onnxruntime does: periodic and symmetric", async () => {
  const problem = fc.record({
    op: fc.constantFrom(...windows),
    count: size(2, 100),
    periodic: fc.constantFrom(undefined, true, false),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, count, periodic }) => {
      const graph = windowed(op, count, periodic);
      expect(await compare(graph, { reference: true })).toBeLessThan(1e-6);
    }),
    { numRuns: cases(60) },
  );
});

interface Mel {
  readonly mels: number;
  readonly length: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

function mel({ mels, length, rate, low, high }: Mel): Graph {
  return graphOf({ x: ["float32", 1, 1] }, (input, b) => {
    const numbers = [mels, length, rate].map((number) => b.ints([number], []));
    const made = b.add("MelWeightMatrix", [...numbers, b.floats([low]), b.floats([high])]);
    return { y: b.add("Add", [made, input("x")]) };
  });
}

it("makes the weights of mel frequencies as onnxruntime does", async () => {
  const problem = fc.record({
    mels: size(1, 40),
    length: size(8, 256),
    rate: fc.constantFrom(8000, 16000, 44100),
    low: fc.constantFrom(0, 20, 133.3),
    share: fc.constantFrom(0.3, 0.7, 0.95),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ rate, share, ...p }) => {
      const graph = mel({ ...p, rate, high: (rate / 2) * share });
      expect(await compare(graph, { reference: true })).toBeLessThan(1e-6);
    }),
    { numRuns: cases(60) },
  );
});

it.each<[string, Graph]>([
  ["more than 1048576 numbers are not made", windowed("HannWindow", 2 ** 21, true)],
  ["it computes with int64", windowed("HannWindow", 8, true, 7)],
  [
    "its edges are outside of its frequencies",
    mel({ mels: 4, length: 16, rate: 0, low: 0, high: 1000 }),
  ],
  [
    "its edges are outside of its frequencies",
    mel({ mels: 4, length: 16, rate: 8000, low: 0, high: 9e9 }),
  ],
  [
    "its edges are outside of its frequencies",
    mel({ mels: 4, length: 16, rate: 8000, low: 900, high: 9 }),
  ],
])("refuses: %s", async (why, graph) => {
  expect((await refusalsOf(graph)).map((refusal) => refusal.why)).toContain(why);
});

it.each([-5, 0])("refuses %i numbers, also where a file says how many they are", async (count) => {
  const graph = windowed("HannWindow", count, true);
  const made = [...graph.allNodes()].find(({ op }) => op === "HannWindow")?.outputs[0];
  const declare = (editor: Editor): void => {
    if (typeof made === "number") editor.setType(made, tensorType("float32", [16]));
  };
  edit(graph, "declare", declare, { interface: true });
  expect((await refusalsOf(graph)).map(({ why }) => why)).toContain("its sizes are not above 0");
});

it("refuses tables that no module's memory holds before any is made", async () => {
  const graph = graphOf({ x: ["float32", 1, 1] }, (input, b) => {
    const sums = Array.from({ length: 600 }, (_, at) => {
      const made = b.add("HannWindow", [b.ints([2 ** 20 - at], [])]);
      return b.add("ReduceSum", [made]);
    });
    return { y: sums.reduce((sum, each) => b.add("Add", [sum, each]), input("x")) };
  });
  const [refusal] = await refusalsOf(graph);
  expect(refusal).toMatchObject({ kind: "memory", what: "weights" });
  await expect(compileToWasm(graph)).rejects.toMatchObject({ code: "MODEL_LIMIT" });
});
