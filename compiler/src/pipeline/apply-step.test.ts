import { describe, expect, it } from "vitest";
import { edit, type Graph, printGraph, Tensor } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { applyGroup, applyStep } from "./apply-step.js";
import { text } from "./kinds.js";
import { option } from "./options.js";
import { definePass, type Exactness, type PassContext, type Registry } from "./pass.js";

const swap = {
  from: option(text, "Neg", "What is there."),
  to: option(text, "Abs", "What comes."),
};

/** Puts another operator in the place of one, and says so. */
function swapping(name: string, exactness: Exactness) {
  const run = (graph: Graph, from: string, to: string, context: PassContext): void => {
    context.onProgress?.(0.5, name);
    const nodes = graph.order().filter(({ op }) => op === from);
    if (nodes.length === 0) return;
    edit(graph, name, (editor) => {
      for (const node of nodes) {
        editor.setOp(node.id, to);
        editor.note(node, `to ${to}`);
      }
    });
  };
  return definePass({
    name,
    summary: "",
    options: swap,
    create: ({ from, to }) => ({
      exactness,
      run: (graph, context) => run(graph, from, to, context),
    }),
  });
}

const passes: Registry = [
  swapping("coarse", "lossy"),
  swapping("fine", "rounding"),
  definePass({
    name: "broken",
    summary: "",
    options: {},
    create: () => ({
      exactness: "bitwise",
      run: () => {
        throw new TypeError("undefined is no node");
      },
    }),
  }),
];

const graph = () =>
  graphOf({ x: ["float32", 4] }, (x, b) => ({ y: b.add("Relu", [b.add("Neg", [x("x")])]) }));

describe("applyStep", () => {
  it("works on a fork, and gives what was said and how exact it is", async () => {
    const before = graph();
    const printed = await printGraph(before);
    const applied = await applyStep(before, { use: "fine", with: { to: "Ceil" } }, {}, passes);
    expect(opsOf(applied.graph)).toEqual(["Ceil", "Relu"]);
    expect(applied).toMatchObject({
      exactness: "rounding",
      changed: true,
      journal: [{ rule: "fine", reason: "to Ceil" }],
    });
    expect(await printGraph(before)).toBe(printed);
  });

  it("names the pass that fails, and what it said", async () => {
    await expect(applyStep(graph(), { use: "broken" }, {}, passes)).rejects.toMatchObject({
      code: "PASS_FAILED",
      where: "broken",
      message: expect.stringContaining("undefined is no node"),
    });
    await expect(applyStep(graph(), { use: "absent" }, {}, passes)).rejects.toMatchObject({
      code: "RECIPE",
      hint: "The passes are coarse, fine, broken.",
    });
  });
});

describe("applyGroup", () => {
  it("runs its steps on one fork; the least exact that changed something counts", async () => {
    const before = (await applyStep(graph(), { use: "fine" }, {}, passes)).graph;
    const fractions: number[] = [];
    const context: PassContext = { onProgress: (fraction) => fractions.push(fraction) };
    const steps = [{ use: "fine", with: { from: "Abs", to: "Neg" } }, { use: "coarse" }];
    const both = await applyGroup(before, { steps }, context, passes);
    expect(opsOf(both.graph)).toEqual(["Abs", "Relu"]);
    expect(both).toMatchObject({ exactness: "lossy", changed: true });
    expect(both.journal.map(({ rule }) => rule)).toEqual(["fine", "coarse"]);
    expect(fractions).toEqual([0.25, 0.75]);
    const idle = [steps[0] ?? { use: "" }, { use: "coarse", with: { from: "Sin" } }];
    expect(await applyGroup(before, { steps: idle }, {}, passes)).toMatchObject({
      exactness: "rounding",
    });
  });

  it("is unchanged and exact where no step finds anything", async () => {
    const steps = [{ use: "coarse", with: { from: "Sin" } }];
    expect(await applyGroup(graph(), { steps }, {}, passes)).toMatchObject({
      exactness: "bitwise",
      changed: false,
      journal: [],
    });
  });

  it("tells of each step what it changed, what it told of itself, and how long it took", async () => {
    const learned = {
      kind: "training",
      learnedFrom: ["labels"],
      samples: 1,
      steps: 1,
      batch: 1,
      epochCount: 0,
      epochs: [],
    } as const;
    const telling = definePass({
      name: "telling",
      summary: "",
      options: {},
      create: () => ({
        exactness: "bitwise",
        run: (_, { onAccount }) => onAccount?.(learned),
      }),
    });
    const halving = definePass({
      name: "halving",
      summary: "",
      options: {},
      create: () => ({
        exactness: "lossy",
        run: (one) =>
          edit(one, "halving", (editor) => {
            for (const { id, constant } of one.allValues())
              if (constant) {
                const dims = constant.dims.map((size) => Math.min(4, size));
                editor.setConstant(id, Tensor.float32(dims, new Float32Array(8)));
              }
          }),
      }),
    });
    const product = graphOf({ x: ["float32", "batch", 2] }, (x, b) => ({
      y: b.add("MatMul", [
        b.add("MatMul", [x("x"), b.floats(Array(16).fill(1), [2, 8])]),
        b.floats(Array(16).fill(1), [8, 2]),
      ]),
    }));
    const steps = [{ use: "telling" }, { use: "halving" }, { use: "coarse" }];
    const registry = [...passes, telling, halving];
    let time = 0;
    const now = (): number => (time += 5);
    const { shares } = await applyGroup(product, { steps }, {}, registry, now);
    const same = (of: number) => ({ before: of, after: of });
    expect(shares).toEqual([
      {
        use: "telling",
        constantBytes: same(128),
        parameters: same(32),
        macs: same(32),
        tookMs: 5,
        account: learned,
      },
      {
        use: "halving",
        constantBytes: { before: 128, after: 64 },
        parameters: { before: 32, after: 16 },
        macs: { before: 32, after: 16 },
        tookMs: 5,
      },
      {
        use: "coarse",
        constantBytes: same(64),
        parameters: same(16),
        macs: same(16),
        tookMs: 5,
      },
    ]);
    const untimed = await applyGroup(product, { steps }, {}, registry);
    expect(untimed.shares).toEqual(shares.map((share) => ({ ...share, tookMs: undefined })));
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort();
    const group = { steps: [{ use: "fine" }] };
    await expect(applyGroup(graph(), group, { signal }, passes)).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
