import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type Graph, Tensor, type ValueId } from "../ir/index.js";
import { concatZerosToPad, padIntoWindow, spellOutPads } from "./pads.js";
import { attributesOf } from "./pattern.js";
import { runRules } from "./run-rules.js";
import { apply, type Builder, graphOf } from "./rule-case.test.support.js";

const around = [0, 0, 1, 2, 0, 0, 1, 0];
const kernel = { kernel_shape: attribute.ints([3, 3]) };
const image = { x: ["float32", 1, 3, 6, 6] } as const;

function padded(
  b: Builder,
  x: ValueId,
  amounts = around,
  value: ValueId | null = null,
  attributes: Attributes = {},
): ValueId {
  return b.add(
    "Pad",
    value === null ? [x, b.ints(amounts)] : [x, b.ints(amounts), value],
    attributes,
  );
}

function after(build: (x: ValueId, b: Builder) => ValueId) {
  return graphOf(image, (x, b) => ({ y: build(x("x"), b) }));
}

describe("pad-into-window", () => {
  it.each<[string, string[], (x: ValueId, b: Builder) => ValueId]>([
    [
      "Conv",
      ["Conv"],
      (x, b) =>
        b.add("Conv", [padded(b, x), b.weights(2, 3, 3, 3)], {
          pads: attribute.ints([1, 1, 1, 1]),
        }),
    ],
    [
      "Conv that pads nothing itself",
      ["Conv"],
      (x, b) =>
        b.add("Conv", [padded(b, x), b.weights(2, 3, 3, 3)], {
          auto_pad: attribute.string("VALID"),
        }),
    ],
    ["AveragePool", ["AveragePool"], (x, b) => b.add("AveragePool", [padded(b, x)], kernel)],
    [
      "MaxPool of −∞",
      ["MaxPool"],
      (x, b) => b.add("MaxPool", [padded(b, x, around, b.floats([-Infinity]))], kernel),
    ],
    [
      "MaxPool of what is nowhere negative",
      ["Relu", "MaxPool"],
      (x, b) => b.add("MaxPool", [padded(b, b.add("Relu", [x]))], kernel),
    ],
    [
      "Pad of named axes",
      ["Conv"],
      (x, b) =>
        b.add("Conv", [
          b.add("Pad", [x, b.ints([1, 2, 0, 1]), null, b.ints([2, -1])]),
          b.weights(2, 3, 3, 3),
        ]),
    ],
  ])("%s", async (_, expected, build) => {
    expect((await apply(padIntoWindow, after(build))).ops).toEqual(expected);
  });

  it.each<[string, RegExp, (x: ValueId, b: Builder) => ValueId]>([
    [
      "ones around a Conv",
      /not pad with 0/,
      (x, b) => b.add("Conv", [padded(b, x, around, b.floats([1])), b.weights(2, 3, 3, 3)]),
    ],
    [
      "a reflection",
      /mode reflect/,
      (x, b) =>
        b.add("Conv", [
          padded(b, x, around, null, { mode: attribute.string("reflect") }),
          b.weights(2, 3, 3, 3),
        ]),
    ],
    [
      "padded channels",
      /channels/,
      (x, b) => b.add("Conv", [padded(b, x, [0, 1, 0, 0, 0, 0, 0, 0]), b.weights(2, 4, 3, 3)]),
    ],
    ["zeros that could win", /maximum/, (x, b) => b.add("MaxPool", [padded(b, x)], kernel)],
    [
      "a mean over windows that no more than the padding would reach",
      /as its windows are large/,
      (x, b) => b.add("AveragePool", [padded(b, x, [0, 0, 0, 3, 0, 0, 0, 0])], kernel),
    ],
    [
      "a maximum whose own pads make the padding as large as its windows",
      /as its windows are large/,
      (x, b) =>
        b.add("MaxPool", [padded(b, x, around, b.floats([-Infinity]))], {
          ...kernel,
          pads: attribute.ints([1, 1, 1, 1]),
        }),
    ],
    [
      "a pool that does not count its pads",
      /count/,
      (x, b) =>
        b.add("AveragePool", [padded(b, x)], { ...kernel, pads: attribute.ints([1, 1, 1, 1]) }),
    ],
  ])("leaves %s, and says why", async (_, why, build) => {
    const { ops, misses } = await apply(padIntoWindow, after(build));
    expect(ops).toContain("Pad");
    expect(misses).toEqual([expect.stringMatching(why)]);
  });
});

describe("concat-zeros-to-pad", () => {
  const axis = { axis: attribute.int(1) };
  const zeros = (b: Builder, value: number) =>
    b.add("ConstantOfShape", [b.ints([1, 2, 6, 6])], {
      value: attribute.tensor(Tensor.float32([1], [value])),
    });

  const unread = (b: Builder, value: number) => {
    const load = () => Promise.resolve(new Float32Array(72).fill(value));
    return b.editor.constant("z", Tensor.lazy("float32", [1, 2, 6, 6], load));
  };

  it.each<[string, (x: ValueId, b: Builder) => ValueId]>([
    ["made zeros after", (x, b) => b.add("Concat", [x, zeros(b, 0)], axis)],
    ["made zeros on both sides", (x, b) => b.add("Concat", [zeros(b, 0), x, zeros(b, 0)], axis)],
    [
      "stored zeros",
      (x, b) =>
        b.add(
          "Concat",
          [
            b.floats(
              Array.from({ length: 36 }, () => 0),
              [1, 1, 6, 6],
            ),
            x,
          ],
          axis,
        ),
    ],
    ["zeros that are still in the file", (x, b) => b.add("Concat", [x, unread(b, 0)], axis)],
  ])("pads by %s", async (_, build) => {
    expect((await apply(concatZerosToPad, after(build))).ops).toEqual(["Pad"]);
  });

  it.each<[string, typeof zeros]>([
    ["made", zeros],
    ["read", unread],
  ])("leaves ones that are %s", async (_, ones) => {
    const graph = after((x, b) => b.add("Concat", [x, ones(b, 1)], axis));
    expect((await apply(concatZerosToPad, graph)).ops).toContain("Concat");
  });
});

describe("spell-out-pads", () => {
  const same = (mode: string, step: number, stride = 1): Attributes => ({
    auto_pad: attribute.string(mode),
    dilations: attribute.ints([step, 1]),
    strides: attribute.ints([stride, 1]),
  });
  /** Its pads: the engine refuses a spread window that pads by itself, and so there is nothing to compare with. */
  const padsOf = async (graph: Graph): Promise<readonly number[] | undefined> => {
    await runRules(graph, [spellOutPads], {});
    const [node] = graph.allNodes();
    expect(node && attributesOf(node).has("auto_pad")).toBe(false);
    return node && attributesOf(node).ints("pads");
  };
  const convolved = (attributes: Attributes, ...places: readonly (number | string)[]) =>
    graphOf({ x: ["float32", 1, 3, ...places] }, (x, b) => ({
      y: b.add("Conv", [x("x"), b.weights(2, 3, 3, 2)], attributes),
    }));

  it("says what a spread window pads by, whatever the size where it moves by one", async () => {
    expect(await padsOf(convolved(same("SAME_UPPER", 2), "H", "W"))).toEqual([2, 0, 2, 1]);
    expect(await padsOf(convolved(same("SAME_LOWER", 2), "H", "W"))).toEqual([2, 1, 2, 0]);
    expect(await padsOf(convolved(same("SAME_UPPER", 3, 2), 8, 6))).toEqual([2, 0, 3, 1]);
  });

  it("leaves what hangs on a free size, and windows that are whole", async () => {
    const free = await apply(spellOutPads, convolved(same("SAME_UPPER", 2, 2), "H", 6));
    expect(free.misses).toEqual([expect.stringContaining("sizes that are free")]);
    const whole = await apply(spellOutPads, convolved(same("SAME_UPPER", 1), 6, 6));
    expect(whole.misses).toEqual([]);
  });

  it("leaves a pool that the engine pads by less than the specification says", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 9, 9] }, (x, b) => ({
      y: b.add("MaxPool", [x("x")], {
        ...same("SAME_UPPER", 2),
        kernel_shape: attribute.ints([3, 3]),
      }),
    }));
    expect((await apply(spellOutPads, graph)).ops).toEqual(["MaxPool"]);
    const [node] = graph.allNodes();
    expect(node && attributesOf(node).has("auto_pad")).toBe(true);
  });
});
