import type { Tensors } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { labelFacts, labelledOutputs } from "./label-facts.js";
import { chooseMetric } from "./metrics.js";
import { createScorer } from "./scorer.js";

const tensor = (dims: readonly number[], ...values: readonly number[]): Tensors[string] => ({
  type: "float32",
  dims,
  data: Float32Array.from(values),
});

async function measured(
  name: string,
  items: readonly (readonly [Tensors, unknown])[],
  drawn = items.map((_, index) => index),
): Promise<number> {
  const scorer = createScorer(name, true);
  const kept = await Promise.all(
    items.map(([outputs, label]) => scorer.keep(outputs, { id: "s", label, group: null }, null)),
  );
  return (await scorer.reduce(kept, [drawn]))[0] ?? Number.NaN;
}

describe("labels-right", () => {
  it("is the share of labels on the right side: of 0 for scores, of a half for probabilities", async () => {
    const of = (...values: readonly number[]): Tensors => ({ y: tensor([1, 4], ...values) });
    expect(await measured("labels-right", [[of(-3, 0.2, 4, -1), [0, 1, 1, 1]]])).toBe(0.75);
    expect(await measured("labels-right", [[of(0.1, 0.2, 0.9, 0.6), [0, 1, 1, 1]]])).toBe(0.75);
    // Another sample's scores tell that these are no probabilities.
    const both = [
      [of(0.1, 0.2, 0.9, 0.6), [0, 1, 1, 1]],
      [of(-2, -2, 3, 3), [0, 0, 1, 1]],
    ] as const;
    expect(await measured("labels-right", both)).toBe(7 / 8);
    // Also of a resample without that sample.
    const drawn = [[of(0.1, 0.2, 0.9, 0.6), [0, 0, 1, 1]], both[1]] as const;
    expect(await measured("labels-right", drawn, [0])).toBe(0.5);
    expect(await measured("labels-right", [[of(Number.NaN, -1, -1, -1), [0, 0, 0, 0]]])).toBe(0.75);
  });

  it("refuses labels that are not as many", async () => {
    const wrong = measured("labels-right", [[{ y: tensor([1, 2], 1, 2) }, [0, 1, 1]]]);
    await expect(wrong).rejects.toMatchObject({ code: "LABELS" });
  });
});

describe("mean-iou", () => {
  const label = [0, 1, 1, 2, 0, 0];
  /** The classes 0, 1, 2, 2, 0, 1 score best at six places. */
  const best = [0, 1, 2, 2, 0, 1];
  const first = [0, 1, 2].flatMap((one) => best.map((at) => (at === one ? 1 : 0)));
  const last = best.flatMap((at) => [0, 1, 2].map((one) => (at === one ? 1 : 0)));

  it.each([
    ["[1, C, H, W]", tensor([1, 3, 2, 3], ...first)],
    ["[1, H, W, C]", tensor([1, 2, 3, 3], ...last)],
  ])("is of classes over places, of scores %s", async (_, y) => {
    // Class 0: 2 of 3, class 1: 1 of 3, class 2: 1 of 2.
    const expected = (2 / 3 + 1 / 3 + 1 / 2) / 3;
    expect(await measured("mean-iou", [[{ y }, label]])).toBeCloseTo(expected, 12);
  });

  it("leaves out places of no class, and what is no number is of none", async () => {
    const y = tensor([1, 2, 1, 3], 1, 0, Number.NaN, 0, 1, Number.NaN);
    // Class 0: 1 of 1; class 1: 0 of 1, its score being none; the second place does not count.
    expect(await measured("mean-iou", [[{ y }, [0, 255, 1]]])).toBe(0.5);
  });

  const classes = (...values: readonly number[]): Tensors[string] => ({
    type: "int64",
    dims: [1, 2, values.length / 2],
    data: BigInt64Array.from(values, BigInt),
  });

  it("takes whole numbers as the classes, as ArgMax gives them", async () => {
    const y = classes(...best);
    const expected = (2 / 3 + 1 / 3 + 1 / 2) / 3;
    expect(await measured("mean-iou", [[{ y }, label]])).toBeCloseTo(expected, 12);
    // Class 0: 1 of 1; class 2: 0 of 1; what is below 0 is of no class.
    const none = { y: classes(0, 2, -1, 1) };
    expect(await measured("mean-iou", [[none, [0, 255, 2, -1]]])).toBe(0.5);
    const halves = { y: tensor([1, 2, 2], 0, 0.5, 1, 1) };
    for (const wrong of [halves, { y: classes(0, 1, 2 ** 30, 1) }])
      await expect(measured("mean-iou", [[wrong, [0, 1, 1, 1]]])).rejects.toMatchObject({
        code: "LABELS",
      });
  });

  it("is chosen for a map of whole numbers and labels that are classes", () => {
    const of = (y: Tensors[string], one: readonly number[]) =>
      chooseMetric({ y }, one, undefined, labelFacts([one]));
    expect(of(classes(0, 1, 2, 2), [0, 1, 2, 255])).toBe("mean-iou");
    expect(of(classes(0, 1, 1, 1), [0, 1, 1, 0])).toBe("mean-iou");
    expect(of({ ...classes(0, 1, 1, 1), dims: [1, 4] }, [0, 1, 1, 0])).toBe("labels-right");
    expect(of(classes(0, 1, 2, 2), [0, 1, 2, -7])).toBe("mse");
    const facts = labelFacts([[0, 1, 2, 2]]);
    const outputs = { other: tensor([1, 2], 0, 1), y: classes(0, 1, 2, 2) };
    expect(facts && labelledOutputs(outputs, facts)).toEqual({ best: ["y"], others: [] });
  });

  it("refuses a label that is none of the classes, but for 255 and what is below 0", async () => {
    const y = tensor([1, 3, 2, 3], ...first);
    for (const wrong of [3, 1.5, 254])
      await expect(measured("mean-iou", [[{ y }, [0, 1, 1, 2, 0, wrong]]])).rejects.toMatchObject({
        code: "LABELS",
        message: expect.stringContaining("classes from 0 to 2"),
      });
    expect(await measured("mean-iou", [[{ y }, [0, 1, 255, -1, 0, 255]]])).toBe(1);
  });

  it("refuses labels of fewer places than the map has, whose classes no axis has", async () => {
    const scores = (...dims: readonly number[]) => tensor(dims, ...Array<number>(48).fill(0));
    const half = Array<number>(4).fill(0);
    for (const y of [scores(1, 3, 4, 4), scores(1, 4, 4, 3), scores(1, 48)])
      await expect(measured("mean-iou", [[{ y }, half]])).rejects.toMatchObject({
        code: "LABELS",
        message: expect.stringContaining(
          `map, [${y.dims.join(", ")}], but Sample "s" has "4 number(s)"`,
        ),
      });
    const whole = Array<number>(16).fill(0);
    for (const y of [scores(1, 3, 4, 4), scores(1, 4, 4, 3), scores(3, 4, 4), scores(1, 1, 3, 16)])
      expect(await measured("mean-iou", [[{ y }, whole]])).toBe(1);
  });

  it("is of all samples together", async () => {
    const wrong = { y: tensor([1, 2, 1, 2], 0, 0, 1, 1) };
    const right = { y: tensor([1, 2, 1, 2], 1, 0, 0, 1) };
    // Class 0: 1 of 3; class 1: 1 of 3.
    const items = [
      [wrong, [0, 0]],
      [right, [0, 1]],
    ] as const;
    expect(await measured("mean-iou", items)).toBeCloseTo((1 / 3 + 1 / 3) / 2, 12);
  });
});

describe("the output that labels are of", () => {
  const outputs: Tensors = {
    boxes: tensor([1, 4], 1, 2, 3, 4),
    classes: tensor([1, 3], 1, 2, 3),
    found: tensor([1, 1], 0.5),
  };
  const of = (...labels: readonly unknown[]): readonly (readonly string[])[] => {
    const facts = labelFacts(labels);
    if (facts === null) return [];
    const { best, others } = labelledOutputs(outputs, facts);
    return [best, others];
  };

  it("has as many classes, or enough, or as many numbers", () => {
    expect(of(0, 2, 1)).toEqual([["classes"], ["boxes"]]);
    expect(of(3)).toEqual([["boxes"], []]);
    expect(of(0, 1)).toEqual([["boxes", "classes"], []]);
    expect(of([0.1, 0.2, 0.3, 0.4])).toEqual([["boxes"], []]);
    expect(of("cat")).toEqual([]);
  });

  it("is no map where a label is one class", () => {
    const maps = {
      map: tensor([1, 3, 2, 2], ...Array<number>(12).fill(0)),
      y: tensor([1, 5], 0, 0, 0, 0, 0),
    };
    const facts = labelFacts([0, 2]);
    expect(facts && labelledOutputs(maps, facts)).toEqual({ best: ["y"], others: [] });
  });

  it("is not read as one of several classes for a sample that has but one label of several", () => {
    const y = tensor([1, 3], 1, 2, 3);
    expect(chooseMetric({ y }, [0, 1, 0], undefined, labelFacts([[0, 1, 0], [1, 1, 0]]))).toBe("labels-right"); // prettier-ignore
    expect(chooseMetric({ y }, [0, 1, 0], undefined, labelFacts([[0, 1, 0], [1, 0, 0]]))).toBe("top1"); // prettier-ignore
  });

  it.each([
    [[0, 1, 1, 0], tensor([1, 4], 1, 2, 3, 4), "labels-right"],
    [[0, 1, 1, 2], tensor([1, 3, 2, 2], ...Array<number>(12).fill(0)), "mean-iou"],
    // No class of the model's: the metric says so.
    [[0, 1, 1, 7], tensor([1, 3, 2, 2], ...Array<number>(12).fill(0)), "mean-iou"],
    [[0, 1, 1, 7], tensor([1, 3], 1, 2, 3), "mse"],
    [[0.5, 1, 1, 2], tensor([1, 4], 1, 2, 3, 4), "mse"],
  ])("is measured by what labels are: %j", (label, y, metric) => {
    expect(chooseMetric({ y }, label, undefined, labelFacts([label, [0, 0, 1, 1]]))).toBe(metric);
  });
});
