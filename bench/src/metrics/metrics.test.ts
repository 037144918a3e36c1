import type { StoredSample, Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { auc, bestThreshold } from "./auc.js";
import { editDistance } from "./edit-distance.js";
import { chooseMetric, metricNamed } from "./metrics.js";
import { classScores } from "./outputs.js";
import { createScorer } from "./scorer.js";

const scores = (...values: number[]): Tensors => ({
  logits: { type: "float32", dims: [1, values.length], data: Float32Array.from(values) },
});
const text = (value: string): Tensors => ({
  text: { type: "string", dims: [1], data: [value] },
});
const sample = (label: unknown, id = "s"): StoredSample => ({ id, label, group: null, feeds: {} });

async function measured(
  name: string,
  items: readonly (readonly [Tensors, unknown])[],
  float: readonly Tensors[] = [],
): Promise<number> {
  const scorer = createScorer(
    name,
    items.some(([, label]) => label !== null),
  );
  const kept = await Promise.all(
    items.map(([outputs, label], index) =>
      scorer.keep(outputs, sample(label), float[index] ?? null),
    ),
  );
  return (await scorer.reduce(kept, [kept.map((_, index) => index)]))[0] ?? Number.NaN;
}

describe("auc", () => {
  it("counts a tie as one half", () => {
    expect(auc([1, 2, 2, 3], [0, 0, 1, 1])).toBe(0.875);
    expect(auc([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
    expect(auc([1, 2], [1, 1])).toBeNaN();
  });

  it("has the threshold at which the classes are told apart best", () => {
    expect(bestThreshold([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])).toBeCloseTo(0.5);
  });

  it("has a threshold between scores of infinity", () => {
    for (const values of [
      [-Infinity, Infinity],
      [-Infinity, 0],
    ]) {
      const threshold = bestThreshold(values, [0, 1]);
      expect(values.map((value) => value >= threshold)).toEqual([false, true]);
    }
  });

  it.each([[[Number.NaN, 0.1, 0.9]], [[0.1, Number.NaN, 0.9]], [[0.1, 0.9, Number.NaN]]])(
    "is no number where a score is none, and neither is the threshold: %j",
    (values) => {
      expect(auc(values, [0, 1, 1])).toBeNaN();
      expect(bestThreshold(values, [0, 1, 1])).toBeNaN();
    },
  );
});

describe("built-in metrics", () => {
  it("top1 takes classes as numbers or bigints", async () => {
    expect(
      await measured("top1", [
        [scores(1, 2, 0), 1],
        [scores(3, 2, 0), 0n],
        [scores(3, 2, 0), 2],
      ]),
    ).toBeCloseTo(2 / 3);
  });

  it("top5 looks at five", async () => {
    expect(
      await measured("top5", [
        [scores(6, 5, 4, 3, 2, 1), 4],
        [scores(6, 5, 4, 3, 2, 1), 5],
      ]),
    ).toBe(0.5);
  });

  it("top5 takes up to five classes as they are, or scores of fewer than five", () => {
    const { row } = metricNamed("top5");
    expect(row(["dog", "cat"], "cat", "s")).toEqual([1]);
    expect(row(["dog", "cat"], "ox", "s")).toEqual([0]);
    expect(row([7, 9], 9, "s")).toEqual([1]);
    expect(row([0.25, 0.75], 1, "s")).toEqual([1]);
    expect(() => row([0.25, 0.75], 2, "s")).toThrow(/classes from 0 to 1/);
  });

  it("auc reads one score, or the lead of the second of two", async () => {
    expect(
      await measured("auc", [
        [scores(0.9), 1],
        [scores(0.1), 0],
      ]),
    ).toBe(1);
    expect(
      await measured("auc", [
        [scores(0.9, 0.1), 1],
        [scores(0.2, 0.8), 0],
      ]),
    ).toBe(0);
  });

  it("f1 is of class 1 for two classes, and the mean over more", async () => {
    expect(
      await measured("f1", [
        [scores(0, 1), 1],
        [scores(0, 1), 0],
        [scores(1, 0), 1],
        [scores(1, 0), 0],
      ]),
    ).toBeCloseTo(0.5);
    expect(
      await measured("f1", [
        [scores(0, 1, 0), 1],
        [scores(0, 0, 1), 2],
        [scores(1, 0, 0), 0],
      ]),
    ).toBe(1);
    // Of three classes the mean stays one, though only two occur: 0 is found once of twice.
    expect(
      await measured("f1", [
        [scores(0, 1, 0), 1],
        [scores(0, 1, 0), 0],
        [scores(1, 0, 0), 0],
      ]),
    ).toBeCloseTo(2 / 3);
  });

  it("f1 is of the same classes in each resample, and of a candidate that says another one", async () => {
    const of = async (said: readonly number[], labels: readonly number[]) => {
      const scorer = createScorer("f1", true, {
        predict: async (outputs) => outputs.y?.data[0],
      });
      const kept = await Promise.all(
        said.map(
          (value, at) =>
          scorer.keep({ y: { type: "int32", dims: [1], data: Int32Array.of(value) } }, sample(labels[at]), null), // prettier-ignore
        ),
      );
      return scorer.reduce(kept, [[0, 1, 2]]);
    };
    // Of three classes, though one of them was not drawn: 0 is never found.
    expect(await of([1, 1, 1, 2], [1, 1, 0, 2])).toEqual([0.8 / 2]);
    expect(await of([1, 1, 1, 1], [1, 1, 0, 1])).toEqual([0.8]);
    expect(await of([1, 1, 2, 2], [1, 1, 0, 1])).toEqual([1]);
  });

  it("f1 counts what is no number as wrong, and as no class of its own", async () => {
    const none = scores(Number.NaN, 0, 0);
    const items = [
      [scores(0, 1, 0), 1],
      [none, 1],
      [scores(1, 0, 0), 0],
    ] as const;
    expect(await measured("f1", items)).toBeCloseTo((2 / 3 + 1) / 2);
    const { row } = metricNamed("f1");
    expect(() => row("dog", 1, "s")).toThrow(
      expect.objectContaining({ code: "LABELS", where: "f1" }),
    );
    expect(() => row(1, true, "s")).not.toThrow();
  });

  it("an answer that `predict` does not give is the module's fault, where the metric cannot do without", async () => {
    const keep = (metric: string, label: unknown) =>
      createScorer(metric, true, { predict: async () => null }).keep(
        {},
        { ...sample(null), label },
        null,
      );
    for (const metric of ["top1", "f1", "exact-match"])
      await expect(keep(metric, 1)).rejects.toMatchObject({
        code: "DATA_MODULE",
        message: expect.stringContaining("returned nothing"),
      });
    expect(await keep("top5", 1)).toMatchObject({ row: [0] });
  });

  it("cer weighs by length", async () => {
    const scorer = createScorer("cer", true, {
      predict: async (outputs) => String(outputs["text"]?.data[0]),
    });
    const kept = [
      await scorer.keep(text("kitten"), sample("sitting"), null),
      await scorer.keep(text("abc"), sample("abc"), null),
    ];
    expect(await scorer.reduce(kept, [[0, 1], [1]])).toEqual([3 / 10, 0]);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("🙂a", "🙂b")).toBe(1);
  });

  it("mse compares with labels, or with the float model where there are none", async () => {
    expect(await measured("mse", [[scores(1, 3), [1, 1]]])).toBe(2);
    expect(await measured("mse", [[scores(1, 3), null]], [scores(1, 4)])).toBe(0.5);
  });

  it("cosine and sqnr compare with the float model", async () => {
    expect(await measured("cosine", [[scores(1, 0), null]], [scores(1, 1)])).toBeCloseTo(
      Math.SQRT1_2,
    );
    expect(await measured("sqnr", [[scores(11, 0), null]], [scores(10, 0)])).toBeCloseTo(20);
    expect(await measured("sqnr", [[scores(1, 2), null]], [scores(1, 2)])).toBe(144);
  });

  it("top1-agreement is with the float model", async () => {
    expect(
      await measured(
        "top1-agreement",
        [
          [scores(1, 0), null],
          [scores(0, 1), null],
        ],
        [scores(2, 1), scores(2, 1)],
      ),
    ).toBe(0.5);
  });

  it.each([
    ["top1", scores(1, 2), "cat", /class numbers/],
    ["top1", scores(1, 2), 2, /classes from 0 to 1.*has 2/],
    ["top1", scores(1, 2), [0, 2], /one class per sample/],
    ["top1", scores(1, 2), null, /has null/],
    ["auc", scores(1, 2), 2, /labels 0 and 1/],
    ["auc", scores(1, 2, 3), 1, /one score/],
    ["cer", scores(1, 2), "a", /needs text/],
    ["mse", scores(1, 2), [1, 2, 3], /2 number/],
  ])("%s refuses labels and outputs that do not fit", async (name, outputs, label, message) => {
    await expect(
      createScorer(name, true).keep(outputs, sample(label, "s7"), null),
    ).rejects.toMatchObject({
      code: "LABELS",
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  it("takes a class as it is encoded: alone in a list, or as a 1 among zeros", async () => {
    for (const label of [1, [1], Int32Array.of(1), [0, 1], Float32Array.of(0, 1)])
      expect(await measured("top1", [[scores(1, 2), label]])).toBe(1);
    expect(await measured("top1", [[scores(1, 2), [1, 0]]])).toBe(0);
  });

  it("finds no class where a score is no number", async () => {
    for (const name of ["top1", "top5"])
      for (const label of [0, 1])
        expect(await measured(name, [[scores(Number.NaN, Number.NaN), label]])).toBe(0);
    expect(await measured("top1-agreement", [[scores(Number.NaN, 1), null]], [scores(2, 1)])).toBe(
      0,
    );
  });

  it("exact-match reads the text that a model gives", async () => {
    expect(await measured("exact-match", [[text("cat"), "cat"], [text("cat"), "dog"]])).toBe(0.5); // prettier-ignore
  });

  it("knows its names", () => {
    expect(() => metricNamed("bleu")).toThrow(/no metric "bleu"/);
  });
});

describe("the choice of a metric", () => {
  const none = undefined;
  const grid: Tensors = { e: { type: "float32", dims: [1, 8, 8], data: new Float32Array(64) } };
  const series: Tensors = { e: { type: "float32", dims: [1, 50, 1], data: new Float32Array(50) } };
  const direction = scores(...Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? 0.25 : -0.25)));

  it.each<[Tensors, unknown, unknown, string]>([
    [scores(1, 2, 3), 1, none, "top1"],
    [scores(1), 1, none, "auc"],
    [scores(1, 2, 3), null, none, "top1-agreement"],
    [grid, null, none, "concordance"],
    [series, null, none, "concordance"],
    [series, 1, none, "top1"],
    // A face's embedding: a direction, whose largest number is no class.
    [direction, null, none, "concordance"],
    [direction, 1, none, "mse"],
    [scores(1, 2), [0.5, 0.5], none, "mse"],
    // As frameworks encode a class, and as tables hold one.
    [scores(1, 2), [0, 1], none, "top1"],
    [scores(1, 2), Float32Array.of(1), none, "top1"],
    [scores(1), Float32Array.of(1), none, "auc"],
    [scores(1, 2), "cat", "dog", "exact-match"],
    [grid, 3, Float32Array.of(1, 2, 3, 4), "top1"],
    [grid, 3, 2, "exact-match"],
    [grid, 1, 0.25, "auc"],
    [grid, 2.5, 0.25, "mse"],
    [grid, Float32Array.of(1, 2), [0.5, 1.5], "mse"],
    [grid, ["a", "b"], ["a", "c"], "exact-match"],
    [grid, null, Float32Array.of(1, 2), "concordance"],
    [grid, null, "dog", "top1-agreement"],
  ])(
    "goes by outputs, labels and what predict returns (%#)",
    (outputs, label, prediction, expected) =>
      expect(chooseMetric(outputs, label, prediction)).toBe(expected),
  );
});

describe("an exact match", () => {
  const { row } = metricNamed("exact-match");

  it("is of lists as of texts", () => {
    expect(row(["a", "b"], ["a", "b"], "s")).toEqual([1]);
    expect(row(BigInt64Array.of(1n, 2n), [1, 2], "s")).toEqual([1]);
    expect(row(["a"], ["b"], "s")).toEqual([0]);
  });

  it("is refused between what can never be equal: it would call every answer wrong", () => {
    expect(() => row(Float32Array.of(1, 2), "cat", "s")).toThrow(/kind that predictions are/);
    expect(() => row(null, 3, "s")).toThrow(/kind that predictions are/);
    expect(() => row("7", 7, "s")).toThrow(/texts, as predictions are/);
    expect(() => row(7, "7", "s")).toThrow(/numbers, as predictions are/);
  });
});

describe("agreement with the float model where outputs vary in size", () => {
  const boxes = (...values: number[]): Tensors => ({
    boxes: { type: "float32", dims: [values.length / 2, 2], data: Float32Array.from(values) },
  });

  it.each([
    ["cosine", 5 / Math.sqrt(5 * 30)],
    ["mse", 25 / 4],
    ["sqnr", 10 * Math.log10(30 / 25)],
  ])("holds what only one found against nothing: %s", async (name, expected) => {
    const pair: [Tensors, unknown] = [boxes(1, 2), null];
    expect(await measured(name, [pair], [boxes(1, 2, 3, 4)])).toBeCloseTo(expected, 10);
    expect(await measured(name, [[boxes(), null]], [boxes()])).toBe(
      name === "mse" ? 0 : name === "cosine" ? 1 : 144,
    );
  });
});

describe("flips", () => {
  it("come worst first: a right answer lost before a wrong one changed", async () => {
    const scorer = createScorer("top1", true);
    const keep = (outputs: Tensors, label: number) => scorer.keep(outputs, sample(label), null);
    const float = [
      await keep(scores(1, 0, 0), 2),
      await keep(scores(0, 1, 0), 1),
      await keep(scores(0, 0, 1), 2),
    ];
    const candidate = [
      await keep(scores(0, 1, 0), 2),
      await keep(scores(1, 0, 0), 1),
      await keep(scores(0, 0, 1), 2),
    ];
    expect(await scorer.flips(candidate, float)).toMatchObject([{ position: 1 }, { position: 0 }]);
  });

  it("of scores are crossings of the float model's best threshold", async () => {
    const scorer = createScorer("auc", true);
    const keep = (score: number, label: number) => scorer.keep(scores(score), sample(label), null);
    const float = [await keep(0.1, 0), await keep(0.9, 1), await keep(0.8, 1)];
    const candidate = [await keep(0.2, 0), await keep(0.3, 1), await keep(0.7, 1)];
    expect(await scorer.flips(candidate, float)).toMatchObject([{ position: 1 }]);
  });

  it("mean nothing for measured quantities, and say so", async () => {
    const scorer = createScorer("cosine", false);
    const kept = [await scorer.keep(scores(1, 2), sample(null), scores(1, 2))];
    expect(await scorer.flips(kept, kept)).toEqual({ none: expect.stringMatching(/quantities/) });
  });

  /** Where two predictions of a data module's, one before and one after, flip under its own metric or a built-in one. */
  async function flipped(
    metric: string,
    [before, after]: readonly [unknown, unknown],
    label: unknown,
  ): Promise<boolean | string> {
    const own = { name: "own", direction: "higher", reduce: async () => [1] } as const;
    let said = before;
    const scorer = createScorer(metric, true, { metric: own, predict: async () => said });
    const float = [await scorer.keep({}, sample(label), null)];
    said = after;
    const flips = await scorer.flips([await scorer.keep({}, sample(label), null)], float);
    return "none" in flips ? flips.none : flips.length > 0;
  }

  it.each<[string, readonly [unknown, unknown], unknown]>([
    ["own", [1, 2], 1],
    ["own", ["cat", "dog"], "cat"],
    ["own", [1n, 2n], 1],
    [
      "own",
      [
        ["a", "b"],
        ["a", "c"],
      ],
      ["a"],
    ],
    ["own", [Float32Array.of(0.2, 0.8), Float32Array.of(0.7, 0.3)], 1],
    [
      "own",
      [
        [0.2, 0.8],
        [0.7, 0.3],
      ],
      1n,
    ],
    [
      "top5",
      [
        ["cat", "dog"],
        ["dog", "cat"],
      ],
      "cat",
    ],
    [
      "top5",
      [
        [3, 9],
        [2, 9],
      ],
      3,
    ],
    [
      "exact-match",
      [
        [1, 2, 9],
        [1, 3, 9],
      ],
      [1, 2, 9],
    ],
    ["exact-match", [BigInt64Array.of(1n, 9n), BigInt64Array.of(2n, 9n)], [1, 9]],
    ["exact-match", [`${"long ".repeat(50)}a`, `${"long ".repeat(50)}b`], `${"long ".repeat(50)}a`],
  ])("%s: another class, text or list is one (%#)", async (metric, pair, label) => {
    expect(await flipped(metric, pair, label)).toBe(true);
    expect(await flipped(metric, [pair[0], pair[0]], label)).toBe(false);
  });

  it("are of the best class, and not of its score", async () => {
    const pair = [Float32Array.of(0.2, 0.8), Float32Array.of(0.3, 0.7)] as const;
    expect(await flipped("own", pair, 1)).toBe(false);
  });

  const box = (x: number) => [10.5, 20, x, 40, 0.9];
  it.each<[string, (x: number) => unknown, unknown]>([
    ["a number", (x) => x + 0.5, 0.5],
    ["a box", box, box(0)],
    ["a box of whole numbers", (x) => [10, 20, Math.round(x), 40], [10, 20, 30, 40]],
    ["a list of boxes", (x) => [box(x), box(x + 1)], [box(0)]],
    ["a signal", (x) => Float32Array.of(x, 1, 2), Float32Array.of(0, 1, 2)],
    ["boxes with their scores", (x) => ({ boxes: [box(x)], scores: [0.9] }), { boxes: [box(0)] }],
    ["boxes beside a class, which is none of theirs", box, 17],
    ["all outputs", (x) => scores(x, 1), null],
  ])("are none of %s that moved a little", async (_, predict, label) => {
    expect(await flipped("own", [predict(30), predict(30.6)], label)).toMatch(
      /measured quantities, boxes or maps/,
    );
  });

  it("are none of objects that are matched exactly", async () => {
    const of = (x: number) => ({ boxes: [box(x)] });
    expect(await flipped("exact-match", [of(1), of(2)], of(1))).toMatch(/boxes/);
  });

  it("show a prediction by its beginning", async () => {
    const shown = async (metric: string, prediction: unknown, label: unknown) => {
      const own = { name: "own", direction: "higher", reduce: async () => [1] } as const;
      const scorer = createScorer(metric, true, { metric: own, predict: async () => prediction });
      return scorer.show(await scorer.keep({}, sample(label), null));
    };
    expect(await shown("top1", [0.1, 0.9], 1)).toBe("class 1");
    expect(await shown("own", ["a", "b"], ["a"])).toBe("[a, b]");
    expect(await shown("own", { boxes: [[1, 2.123456]], n: 1n }, null)).toBe(
      "{ boxes: [1, 2.123], n: 1 }",
    );
    expect(await shown("own", new Float32Array(1e6).fill(0.5), null)).toMatch(
      /^\[(0\.5000, ){8}…\]$/,
    );
    expect((await shown("own", "x".repeat(1e6), null)).length).toBeLessThanOrEqual(200);
  });
});

describe("scoring hooks", () => {
  it.each([
    [true, "labelled"],
    [false, "unlabelled"],
  ])("score() is evidence of what the samples have (labels: %s)", (labelled, evidence) => {
    expect(createScorer("score", labelled, { score: async () => 1 })).toMatchObject({ evidence });
  });

  it("score() may name several numbers, and one of them counts", async () => {
    const scorer = createScorer("iou", true, { score: async () => ({ iou: 0.5, dice: 0.6 }) });
    expect(scorer).toMatchObject({ metric: "iou", direction: "higher", needsFloat: true });
    expect(await scorer.reduce([await scorer.keep({}, sample(null), {})], [[0]])).toEqual([0.5]);
    await expect(
      createScorer("map", true, { score: async () => ({ iou: 0.5 }) }).keep({}, sample(null), {}),
    ).rejects.toMatchObject({ code: "LABELS", hint: expect.stringContaining("iou") });
  });
});

describe("outputs", () => {
  it("are scores per class when one sample has several floats in a row", () => {
    expect(classScores(scores(1, 2))).toHaveLength(2);
    expect(
      classScores({ y: { type: "float32", dims: [1, 3, 1, 1], data: new Float32Array(3) } }),
    ).toHaveLength(3);
    expect(
      classScores({ y: { type: "float32", dims: [1, 1, 3], data: new Float32Array(3) } }),
    ).toBeNull();
    expect(
      classScores({ y: { type: "int64", dims: [1, 3], data: new BigInt64Array(3) } }),
    ).toBeNull();
  });
});
