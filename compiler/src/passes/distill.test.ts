import { halvesToFloats, PareError } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor } from "../ir/index.js";
import { applyGroup } from "../pipeline/apply-step.js";
import type { PassContext } from "../pipeline/pass.js";
import { randomOf } from "../pipeline/random.js";
import { type Declared, graphOf } from "../rules/rule-case.test.support.js";
import { learnedConstants } from "../train/parameters.js";
import { bars, batchOf, examplesOf, network } from "../train/small-networks.test.support.js";
import { findPass, passes } from "./index.js";
import { run } from "./quantization/engine-case.test.support.js";

const learnedFrom = bars(64);
const random = (name: string): (() => number) => randomOf(7, name);
const context: PassContext = { examples: examplesOf(learnedFrom), random };

async function distilled(
  graph: Graph,
  options: Readonly<Record<string, unknown>>,
  given: PassContext = context,
): Promise<Graph> {
  const step = { use: "distill", with: options };
  return (await applyGroup(graph, { steps: [step] }, given, passes)).graph;
}

async function scoresOf(graph: Graph, samples = bars(100, 9)): Promise<Float32Array> {
  const data = (await run(graph, batchOf(samples))).scores?.data;
  return data instanceof Uint16Array ? halvesToFloats(data) : (data as Float32Array);
}

async function accuracy(graph: Graph): Promise<number> {
  const scores = await scoresOf(graph);
  let right = 0;
  for (let index = 0; index < 100; index += 1) {
    const row = [...scores.subarray(index * 4, index * 4 + 4)];
    if (row.indexOf(Math.max(...row)) === index % 4) right += 1;
  }
  return right / 100;
}

const weightsOf = async (graph: Graph): Promise<string> => {
  const parts: string[] = [];
  for (const { constant } of graph.allValues())
    if (constant?.dtype === "float32") parts.push((await constant.readFloat32()).join());
  return parts.join("|");
};

const never = (): never => {
  throw new Error("no output");
};

const quick = { epochs: 12, batch: 16, rate: 0.02 };

describe("distill", () => {
  it("learns from labels alone, and says in the journal what it did", async () => {
    const graph = network();
    expect(await accuracy(graph)).toBeLessThan(0.6);
    const taught = await distilled(graph, quick);
    expect(await accuracy(taught)).toBeGreaterThan(0.97);
    expect(taught.journal.at(-1)?.reason).toMatch(
      /^trained in 48 steps, loss .* in the first epoch/,
    );
  });

  it("teaches in float32 what computes and gives float16, which it gives still", async () => {
    const pass = findPass("fp16");
    const half = network();
    await pass.create(pass.parse({})).run(half, {});
    edit(
      half,
      "give halves",
      (editor) => {
        const [scores = never()] = half.main.outputs;
        editor.rename(scores, "floats");
        const to = { to: attribute.int(10) };
        editor.setOutput(0, editor.add1("Cast", [scores], to, { outputs: ["scores"] }));
      },
      { interface: true },
    );
    const taught = await distilled(half, quick);
    expect(await accuracy(taught)).toBeGreaterThan(0.95);
    const { scores } = await run(taught, batchOf(bars(4, 9)));
    expect(scores?.type).toBe("float16");
    const weights = [...taught.allValues()].flatMap(({ constant }) => constant?.dtype ?? []);
    expect(weights).not.toContain("float16");
  });

  it("tells as data how the training went, the same twice", async () => {
    const told = async (given: PassContext): Promise<unknown> => {
      const group = { steps: [{ use: "distill", with: { ...quick, epochs: 3 } }] };
      return (await applyGroup(network(), group, given, passes)).shares[0]?.account;
    };
    const account = await told(context);
    expect(account).toMatchObject({
      kind: "training",
      learnedFrom: ["labels"],
      samples: 64,
      steps: 12,
      batch: 16,
      epochCount: 3,
      epochs: [
        { epoch: 1, loss: expect.any(Number), accuracy: expect.any(Number), validation: null },
        { epoch: 2 },
        { epoch: 3 },
      ],
    });
    expect(await told(context)).toEqual(account);
    const teacher = network({ width: 8, seed: 3 });
    expect(await told({ ...context, teacher })).toMatchObject({
      learnedFrom: ["labels", "teacher"],
    });
  });

  it("learns from a teacher alone, where samples have no labels", async () => {
    const teacher = await distilled(network({ width: 8, seed: 3 }), quick);
    const unlabelled = learnedFrom.map(({ feeds }) => ({ feeds, label: undefined }));
    const student = network({ width: 3, seed: 5 });
    const given = { examples: examplesOf(unlabelled), random, teacher };
    expect(
      await accuracy(await distilled(student, { ...quick, epochs: 20 }, given)),
    ).toBeGreaterThan(0.95);
  });

  it("gives the same weights twice, and others with another seed", async () => {
    const [a, b] = [await distilled(network(), quick), await distilled(network(), quick)];
    expect(await weightsOf(a)).toBe(await weightsOf(b));
    const other = { ...context, random: (name: string) => randomOf(8, name) };
    expect(await weightsOf(await distilled(network(), quick, other))).not.toBe(await weightsOf(a));
  });

  it("changes weights alone: the graph stays, and so do frozen weights", async () => {
    const graph = network();
    const taught = await distilled(graph, { ...quick, epochs: 1, freeze: ["conv.*"] });
    expect(taught.order().map(({ op }) => op)).toEqual(graph.order().map(({ op }) => op));
    const named = (one: Graph, name: string): Tensor | undefined =>
      [...one.allValues()].find((value) => value.name === name)?.constant;
    for (const name of ["conv.w", "conv.b"]) expect(named(taught, name)).toBe(named(graph, name));
    for (const name of ["head.w", "norm.scale", "norm.mean"])
      expect(named(taught, name)?.data).not.toEqual(named(graph, name)?.data);
  });

  it("leaves running statistics that are frozen, and normalizes by them", async () => {
    const graph = network();
    const norm = [...graph.allValues()].filter(({ name }) => name.startsWith("norm."));
    expect(norm.filter(({ constant }) => constant !== undefined)).toHaveLength(4);
    const taught = await distilled(graph, { ...quick, epochs: 1, freeze: ["norm.*"] });
    for (const { id, constant } of norm) expect(taught.constant(id)).toBe(constant);
  });

  it("learns the same where few values of a step are kept", async () => {
    const read = (from: Graph): Promise<readonly Float32Array[]> =>
      Promise.all(learnedConstants(from).map(({ tensor }) => tensor.readFloat32()));
    const whole = await read(await distilled(network(), quick));
    const again = await read(await distilled(network(), { ...quick, recompute: true }));
    whole.forEach((values, index) =>
      values.forEach((value, at) => expect(again[index]?.[at]).toBeCloseTo(value, 3)),
    );
  });

  it("leaves weights that are 0 as they are where it is asked to, and biases free", async () => {
    const graph = network();
    const head = [...graph.allValues()].find(({ name }) => name === "head.w");
    if (head?.constant === undefined) throw new Error("no head");
    const sparse = (await head.constant.readFloat32()).map((x, at) => (at % 3 === 0 ? x : 0));
    const tensor = Tensor.float32(head.constant.dims, sparse);
    edit(graph, "sparse", (editor) => editor.setConstant(head.id, tensor));
    const zerosIn = async (options: object): Promise<number> => {
      const taught = await distilled(graph, { ...quick, ...options });
      const found = [...taught.allValues()].find(({ name }) => name === "head.w")?.constant;
      return (await found?.readFloat32())?.filter((x) => x === 0).length ?? -1;
    };
    const zeros = sparse.filter((x) => x === 0).length;
    expect(await zerosIn({ keepZeros: true })).toBe(zeros);
    expect(await zerosIn({ keepZeros: true, average: 0.9 })).toBe(zeros);
    expect(await zerosIn({})).toBeLessThan(zeros);
    const biases = (await distilled(graph, { ...quick, keepZeros: true })).allValues();
    const bias = [...biases].find(({ name }) => name === "head.b")?.constant;
    expect((await bias?.readFloat32())?.some((x) => x !== 0)).toBe(true);
  });

  it("counts statistics of batch norms as onnxruntime does in training, and keeps frozen ones", async () => {
    const graph = network();
    const one = { examples: examplesOf(learnedFrom.slice(0, 16)), random };
    const still = { epochs: 1, batch: 16, rate: 0 };
    const taught = await distilled(graph, still, one);
    const frozen = await distilled(graph, { ...still, norms: "frozen" }, one);
    const numbers = (from: Graph, name: string): readonly number[] => [
      ...([...from.allValues()].find((value) => value.name === name)?.constant?.numbers() ?? []),
    ];
    const conv = graph.fork();
    edit(
      conv,
      "show",
      (editor) => {
        const [first] = conv.order();
        const [output] = first?.outputs ?? [];
        if (output === undefined || output === null) throw new Error("no Conv");
        editor.removeOutput(0);
        editor.addOutput(output);
      },
      { interface: true },
    );
    const [shown] = Object.values(await run(conv, batchOf(learnedFrom.slice(0, 16))));
    const values = shown?.data as Float32Array;
    for (let channel = 0; channel < 4; channel += 1) {
      const own = [...values].filter((_, at) => Math.floor(at / 64) % 4 === channel);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      expect(numbers(taught, "norm.mean")[channel]).toBeCloseTo(0.1 * mean, 5);
      expect(numbers(taught, "norm.variance")[channel]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
    expect(numbers(frozen, "norm.mean")).toEqual([0, 0, 0, 0]);
  });

  it("takes a model whose last operator is a Softmax, or whose batch is fixed", async () => {
    for (const graph of [network({ softmax: true }), network({ dims: [1, 1, 8, 8] })]) {
      const taught = await distilled(graph, quick);
      const free = taught.fork();
      const right = await Promise.all(
        bars(20, 4).map(async ({ feeds, label }) => {
          const { scores } = await run(free, feeds);
          const data = Array.from(scores?.data ?? [], Number);
          return data.indexOf(Math.max(...data)) === label;
        }),
      );
      expect(right.filter(Boolean).length).toBeGreaterThan(18);
    }
  });

  it("learns values in the middle of a network by name", async () => {
    const teacher = network({ seed: 11 });
    const student = network({ seed: 12 });
    const relu = (graph: Graph): string => {
      const node = graph.order().find(({ op }) => op === "Relu");
      const id = node?.outputs[0];
      return id === null || id === undefined ? "" : graph.value(id).name;
    };
    const signals = [{ value: relu(student), teacher: relu(teacher), loss: "mse" }];
    const given = { ...context, teacher };
    const options = { ...quick, epochs: 20, alpha: 1, signals, norms: "frozen" };
    const taught = await distilled(student, options, given);
    const said = taught.journal.at(-1)?.reason ?? "";
    const [, first = 0, last = 1] = /loss (\S+) in .* and (\S+) in/.exec(said)?.map(Number) ?? [];
    expect(last).toBeLessThan(first / 3);
    const untouched = (graph: Graph): unknown =>
      [...graph.allValues()].find(({ name }) => name === "head.w")?.constant;
    expect(untouched(taught)).toBe(untouched(student));
  });
});

describe("what cannot be trained is said before anything runs", () => {
  const fault = async (
    graph: Graph,
    options: Readonly<Record<string, unknown>>,
    given: PassContext = context,
  ): Promise<string> => {
    try {
      await distilled(graph, { ...quick, epochs: 1, ...options }, given);
    } catch (error) {
      if (error instanceof PareError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "no error";
  };
  const labelled = (label: unknown): PassContext => ({
    examples: examplesOf(bars(16).map((one, at) => (at === 5 ? { ...one, label } : one))),
    random,
  });
  const unlabelled: PassContext = {
    examples: examplesOf(bars(16).map(({ feeds }) => ({ feeds, label: undefined }))),
    random,
  };

  it.each<[string, () => Promise<string>, RegExp]>([
    ["no data", () => fault(network(), {}, {}), /^DATA_NOT_FOUND: distill learns from samples/],
    [
      "no sample",
      () => fault(network(), {}, { examples: examplesOf([]) }),
      /^DATA_NOT_FOUND: There is no sample/,
    ],
    [
      "neither labels nor a teacher",
      () => fault(network(), {}, unlabelled),
      /^LABELS: There is nothing to learn from/,
    ],
    [
      "a class that there is not",
      () => fault(network(), {}, labelled(4)),
      /^LABELS: Sample 5 has the label 4, but the model has 4 classes/,
    ],
    [
      "a class below 0",
      () => fault(network(), {}, labelled(-1)),
      /^LABELS: Sample 5 has the label -1/,
    ],
    [
      "a label that lacks",
      () => fault(network(), {}, labelled(undefined)),
      /^LABELS: Sample 5 has no label/,
    ],
    [
      "labels of another width",
      () => fault(network(), {}, labelled([1, 2])),
      /^LABELS: The label of sample 5 has 2 numbers/,
    ],
    [
      "all of it frozen",
      () => fault(network(), { freeze: ["*"] }),
      /^RECIPE: All that could be trained is frozen/,
    ],
    [
      "frozen weights that there are not",
      () => fault(network(), { freeze: ["tail"] }),
      /^RECIPE: Nothing that can be trained is called "tail"/,
    ],
    [
      "a loss on a missing output",
      () =>
        fault(network(), { signals: [{ value: "nowhere" }] }, { ...context, teacher: network() }),
      /^RECIPE: The student has no value "nowhere"/,
    ],
    [
      "a teacher that does not fit",
      () =>
        fault(
          network(),
          { signals: [{ value: "scores", teacher: "narrow" }] },
          { ...context, teacher: renamed(network({ width: 2 })) },
        ),
      /^MODEL_SHAPE: Teacher and student do not fit/,
    ],
    [
      "a teacher of other classes",
      () => fault(network(), {}, { ...context, teacher: ofTwo(2) }),
      /^MODEL_SHAPE: Teacher and student do not fit: "scores" of the teacher is \[2\]/,
    ],
    [
      "a teacher that looks at more",
      () => fault(network(), {}, { ...context, teacher: ofTwo(4, "y") }),
      /^DATA_MISMATCH: .*the teacher's input "y" is none of the student's/,
    ],
  ])("%s", async (_, told, message) => expect(await told()).toMatch(message));

  /** @param more the name of another input */
  function ofTwo(classes: number, more?: string): Graph {
    const inputs: Readonly<Record<string, Declared>> = {
      x: ["float32", "batch", 1, 8, 8],
      ...(more !== undefined && { [more]: ["float32", "batch", 64] }),
    };
    return graphOf(inputs, (input, { add, weights }) => {
      const flat = add("Flatten", [input("x")]);
      const seen = more === undefined ? flat : add("Add", [flat, input(more)]);
      return { scores: add("MatMul", [seen, weights(64, classes)]) };
    });
  }

  function renamed(graph: Graph): Graph {
    edit(graph, "rename", (editor) => {
      const id = graph.order().find(({ op }) => op === "Flatten")?.outputs[0];
      if (id !== null && id !== undefined) editor.rename(id, "narrow");
    });
    return graph;
  }
});

describe("a training that diverges", () => {
  it("stops, and names the first tensor that is not finite", async () => {
    const graph = network({ norm: false });
    await expect(
      distilled(graph, { epochs: 3, batch: 16, rate: 1e30, optimizer: "sgd", clip: 0 }),
    ).rejects.toThrow(/Training stopped after \d+ steps: .*The first tensor that is not is ".+"/);
    const samples = bars(16).map((one, at) => {
      if (at !== 3) return one;
      const data = new Float32Array(64).fill(Number.NaN);
      return { ...one, feeds: { x: { type: "float32" as const, dims: [1, 1, 8, 8], data } } };
    });
    const given = { examples: examplesOf(samples, cpu()), random };
    await expect(distilled(graph, quick, given)).rejects.toThrow(/not is "x"/);
  });
});
