import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type ValueId } from "../ir/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { evaluateGraph, inferNode } from "../ops/index.js";
import { simplifyRules } from "./index.js";
import { resizeFewerAxes } from "./resize-axes.js";
import { apply, type Builder, graphOf, madeUp, onEngine } from "./rule-case.test.support.js";

const nearest = {
  mode: attribute.string("nearest"),
  coordinate_transformation_mode: attribute.string("asymmetric"),
  nearest_mode: attribute.string("floor"),
};
const first = { end: attribute.int(2) };
const joined = { axis: attribute.int(0) };

const sizes = (b: Builder, x: ValueId, ...rest: readonly ValueId[]): ValueId =>
  b.add("Concat", [b.add("Shape", [x], first), ...rest], joined);

const network = (rest: (b: Builder, like: ValueId) => readonly ValueId[], more: Attributes = {}) =>
  graphOf({ x: ["float32", "N", 3, 4, 5], like: ["float32", 1, 1, "H", "W"] }, (input, b) => {
    const x = b.add("Relu", [input("x")]);
    const to = sizes(b, x, ...rest(b, input("like")));
    return { y: b.add("Resize", [x, null, null, to], { ...nearest, ...more }) };
  });

describe("resize-fewer-axes", () => {
  it("leaves out the axes that stay as they are, and with them the shape that says so", async () => {
    const toNumbers = network((b) => [b.ints([8, 10])]);
    expect((await apply(simplifyRules, toNumbers)).ops).toEqual(["Relu", "Resize"]);
    const resize = toNumbers.order().at(-1);
    expect(resize?.attributes.get("axes")).toEqual(attribute.ints([2, 3]));
    expect(toNumbers.constant(resize?.inputs[3])?.numbers()).toEqual([8, 10]);

    const toLike = network((b, like) => [b.add("Shape", [like], { start: attribute.int(2) })]);
    const free = { N: 2, H: 7, W: 9 };
    expect((await apply(simplifyRules, toLike, free)).ops).toEqual(["Relu", "Shape", "Resize"]);
  });

  it("joins what is left of them", async () => {
    const graph = network((b, like) => [
      b.add("Shape", [like], { start: attribute.int(2), end: attribute.int(3) }),
      b.add("Shape", [like], { start: attribute.int(3) }),
    ]);
    const { ops } = await apply(resizeFewerAxes, graph, { N: 2, H: 7, W: 9 });
    expect(ops.filter((op) => op === "Concat")).toHaveLength(1);
  });

  it("is written with all sizes, as the engine takes it between transposes too", async () => {
    const order = (...perm: readonly number[]): Attributes => ({ perm: attribute.ints(perm) });
    const graph = graphOf({ image: ["float32", "N", 4, 5, 3] }, (input, b) => {
      const x = b.add("Transpose", [input("image")], order(0, 3, 1, 2));
      const large = b.add("Resize", [x, null, null, sizes(b, x, b.ints([8, 10]))], nearest);
      return { y: b.add("Transpose", [large], order(0, 2, 3, 1)) };
    });
    const { ops } = await apply(resizeFewerAxes, graph, { N: 2 });
    expect(ops).toEqual(["Transpose", "Resize", "Transpose"]);
    const feeds = madeUp(graph, { N: 2 });
    const [want, got] = [await evaluateGraph(graph, feeds), await onEngine(graph, feeds)];
    expect(got["y"]?.data).toEqual(want["y"]?.data);
    const { proto } = await encodeModel(graph);
    const read = await decodeModel({ proto: byteSource(proto) }, { infer: inferNode });
    expect(read.order().map(({ op }) => op)).toContain("Concat");
    expect((await apply(resizeFewerAxes, read, { N: 2 })).ops).toEqual(ops);
  });

  it.each<[string, (b: Builder, like: ValueId) => readonly ValueId[], Attributes]>([
    ["no axis stays as it is", (b) => [b.ints([8, 10])], { axes: attribute.ints([0, 1, 2, 3]) }],
    [
      "the ratio of sides is kept",
      (b) => [b.ints([8, 10])],
      { keep_aspect_ratio_policy: attribute.string("not_larger") },
    ],
  ])("does nothing where %s", async (_, rest, more) => {
    const graph = network(rest, more);
    const { ops } = await apply(resizeFewerAxes, graph, { N: 1 });
    expect(ops).toContain("Concat");
  });
});
