import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import type { Example } from "../../pipeline/examples.js";
import { randomOf } from "../../pipeline/random.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { initializeFresh } from "../../train/initialize.js";
import { loadSamples } from "../../train/samples.js";
import { bars, examplesOf, network, workersHere } from "../../train/small-networks.test.support.js";
import { takesBatches } from "../../train/takes-batches.js";
import { distill } from "../distill.js";
import { distillGraph } from "./distill-graph.js";
import type { DistillServices } from "./teach.js";

const samples = bars(75);
const plain = { optimizer: "sgd", momentum: 0, nesterov: false, epochs: 3, rate: 0.05, batch: 15 };

function weights(b: Builder, name: string, ...dims: readonly number[]): ValueId {
  const id = b.weights(...dims);
  b.editor.rename(id, name);
  return id;
}

/** Two halves of a picture, each through the same layer, then both through another. */
function halves(b: Builder, rows: ValueId, whole: (halved: ValueId) => ValueId): ValueId {
  const first = b.add("Gemm", [rows, weights(b, "one.w", 32, 6), weights(b, "one.b", 6)]);
  const joined = whole(b.add("Relu", [first]));
  return b.add("Gemm", [joined, weights(b, "two.w", 12, 4), weights(b, "two.b", 4)]);
}

type Form = readonly [
  dims: readonly (number | string)[],
  build: (b: Builder, x: ValueId) => ValueId,
];

/** The same function of a sample, in ways that say more or less of a batch. */
const forms = {
  free: [
    ["batch", 1, 8, 8],
    (b, x) =>
      halves(b, b.add("Reshape", [x, b.ints([-1, 32])]), (h) =>
        b.add("Reshape", [h, b.ints([-1, 12])]),
      ),
  ],
  /** Exporters of ShuffleNet write [batch · groups, …], and the batch was 1. */
  "written into other sizes": [
    [1, 1, 8, 8],
    (b, x) =>
      halves(b, b.add("Reshape", [x, b.ints([2, 32])]), (h) =>
        b.add("Reshape", [h, b.ints([1, 12])]),
      ),
  ],
  /** What samples have in common is 0 of one. */
  "mixing samples": [
    ["batch", 1, 8, 8],
    (b, x) => {
      const own = halves(b, b.add("Reshape", [x, b.ints([-1, 32])]), (h) =>
        b.add("Reshape", [h, b.ints([-1, 12])]),
      );
      const common = b.add("Sub", [b.add("ReduceMean", [own, b.ints([0])]), own]);
      return b.add("Add", [own, b.add("Mul", [common, common])]);
    },
  ],
  "without an axis for it": [
    [8, 8],
    (b, x) => {
      const own = halves(b, b.add("Reshape", [x, b.ints([2, 32])]), (h) =>
        b.add("Reshape", [h, b.ints([1, 12])]),
      );
      return b.add("Reshape", [own, b.ints([4])]);
    },
  ],
} as const satisfies Readonly<Record<string, Form>>;
type Name = keyof typeof forms;

function formed(name: Name): Graph {
  const [dims, build]: Form = forms[name];
  const graph = graphOf({ x: ["float32", ...dims] }, (input, b) => ({
    scores: build(b, input("x")),
  }));
  initializeFresh(graph, (one) => randomOf(2, one));
  return graph;
}

const shaped = (name: Name): readonly Example[] =>
  name !== "without an axis for it"
    ? samples
    : samples.map(({ feeds, label }) => {
        const { x } = feeds;
        return { label, feeds: { x: { type: "float32", dims: [8, 8], data: x?.data as Float32Array } } }; // prettier-ignore
      });

interface Taught {
  readonly numbers: readonly number[];
  readonly notes: readonly string[];
}

async function taught(
  name: Name,
  given: Readonly<Record<string, unknown>>,
  more: Partial<DistillServices> = {},
): Promise<Taught> {
  const graph = formed(name);
  const notes: string[] = [];
  const examples = { ...examplesOf(shaped(name)), workers: workersHere(4) };
  const { history } = await distillGraph(graph, distill.parse({ ...plain, ...given }), {
    examples,
    random: (one) => randomOf(4, one),
    onNote: (note) => void notes.push(note),
    ...more,
  });
  const numbers = history.flatMap(({ loss, accuracy }) => [loss, accuracy ?? -1]);
  for (const { constant } of graph.allValues())
    if (constant?.dtype === "float32") numbers.push(...(await constant.readFloat32()));
  return { numbers, notes };
}

describe("a model is taught the same, however its file says what a batch is", () => {
  const others = Object.keys(forms).filter((name): name is Name => name !== "free");
  it.each<[Name, string, Readonly<Record<string, unknown>>]>(
    others.flatMap((name): [Name, string, Readonly<Record<string, unknown>>][] => [
      [name, "by labels", {}],
      [name, "with clipping, by three workers", { workers: 3, clip: 0.5 }],
      [name, "by a teacher", { alpha: 1, temperature: 2 }],
      [name, "by a teacher that is asked anew", { alpha: 0.5 }],
    ]),
  )("%s, %s", async (name, how, given) => {
    const more = (own: Name): Partial<DistillServices> => ({
      ...(how.includes("teacher") && { teacher: own === "without an axis for it" ? formed(own) : network({ width: 6, seed: 8 }) }),
      ...(how.includes("anew") && { keptBytes: 0 }),
    }); // prettier-ignore
    if (name === "without an axis for it" && how.includes("teacher")) {
      const { numbers } = await taught(name, given, more(name));
      return expect(numbers.every(Number.isFinite)).toBe(true);
    }
    const expected = await taught("free", given, more("free"));
    const { numbers, notes } = await taught(name, given, more(name));
    expect(numbers.length).toBe(expected.numbers.length);
    const apart = numbers.map((x, at) => Math.abs(x - (expected.numbers[at] ?? Number.NaN)));
    expect(Math.max(...apart)).toBeLessThan(1e-4);
    const isOne = notes.some((note) => note.startsWith("The model takes one sample at a time"));
    expect(isOne).toBe(name !== "written into other sizes");
  });
});

it("leaves batch norms as they are where a run has one sample, and says so", async () => {
  const graph = graphOf({ x: ["float32", "batch", 1, 8, 8] }, (input, b) => {
    const norm = ["scale", "bias", "mean", "variance"].map((one) => weights(b, `norm.${one}`, 1));
    const h = b.add("Flatten", [b.add("BatchNormalization", [input("x"), ...norm])]);
    const scores = b.add("Gemm", [h, weights(b, "head.w", 64, 4)]);
    const common = b.add("Sub", [b.add("ReduceMean", [scores, b.ints([0])]), scores]);
    return { scores: b.add("Add", [scores, common]) };
  });
  initializeFresh(graph, (one) => randomOf(2, one));
  const statistics = async (): Promise<readonly number[]> => {
    const numbers: number[] = [];
    for (const { name, constant } of graph.allValues())
      if (/^norm\.(mean|variance)/.test(name) && constant !== undefined)
        numbers.push(...(await constant.readFloat32()));
    return numbers;
  };
  const [before, notes] = [await statistics(), [] as string[]];
  await distillGraph(graph, distill.parse(plain), {
    examples: examplesOf(samples),
    random: (one) => randomOf(4, one),
    onNote: (note) => void notes.push(note),
  });
  expect(notes).toContain(
    "The model takes one sample at a time: a batch of 15 is as many runs. Its batch norms stay as they are.",
  );
  expect(before).toHaveLength(2);
  expect(await statistics()).toEqual(before);
});

it("learns a table that is looked up by positions which follow from sizes, also where sizes are fixed", async () => {
  const graph = graphOf({ x: ["float32", "batch", 1, 8, "width"] }, (input, b) => {
    const length = b.add("Shape", [input("x")], { start: attribute.int(3), end: attribute.int(4) });
    const all = b.ints([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const own = b.add("Slice", [all, b.ints([0]), length]);
    const looked = b.add("Gather", [weights(b, "positions", 10, 8), own]);
    const rows = b.add("Flatten", [b.add("Add", [input("x"), looked])]);
    const scores = b.add("Gemm", [rows, weights(b, "head.w", 64, 4)]);
    const common = b.add("Sub", [b.add("ReduceMean", [scores, b.ints([0])]), scores]);
    return { scores: b.add("Add", [scores, common]) };
  });
  initializeFresh(graph, (one) => randomOf(2, one));
  const table = [...graph.allValues()].find(({ name }) => name === "positions");
  const before = await table?.constant?.readFloat32();
  const notes: string[] = [];
  await distillGraph(graph, distill.parse(plain), {
    examples: examplesOf(samples),
    random: (one) => randomOf(4, one),
    onNote: (note) => void notes.push(note),
  });
  expect(notes.join(" ")).toContain("The model takes one sample at a time");
  const after = [...graph.allValues()].find(({ name }) => name === "positions");
  const learned = await after?.constant?.readFloat32();
  expect(learned).toHaveLength(before?.length ?? 0);
  expect(learned).not.toEqual(before);
});

it.each<[Name, boolean]>([
  ["free", true],
  ["written into other sizes", true],
  ["mixing samples", false],
  ["without an axis for it", false],
])("sees whether samples stay apart: %s", async (name, expected) => {
  const graph = formed(name);
  const own = shaped(name);
  const reading = examplesOf(own).read();
  const loaded = await loadSamples(reading, own.length, ["x"], "test");
  const asked = {
    graph,
    inputs: new Map([["x", "x"]]),
    values: graph.main.outputs,
    samples: loaded,
    executor: cpu(),
  };
  expect(await takesBatches(asked)).toBe(expected);
});

it("names what is not finite in a run that is not the first of its share", async () => {
  const poisoned = shaped("mixing samples").map((sample, at) =>
    at === 9
      ? { ...sample, feeds: { x: { type: "float32" as const, dims: [1, 1, 8, 8], data: new Float32Array(64).fill(Number.NaN) } } }
      : sample,
  ); // prettier-ignore
  await expect(
    taught("mixing samples", {}, { examples: examplesOf(poisoned) }),
  ).rejects.toMatchObject({ code: "DIVERGED", message: expect.stringMatching(/is "x"/) });
});
