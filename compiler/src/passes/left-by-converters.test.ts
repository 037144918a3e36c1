import { expect, it } from "vitest";
import { supportOf } from "../targets/support.js";
import { aot } from "../targets/aot.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { byEngine, byModule, difference, floats } from "./classical/classical-case.test.support.js"; // prettier-ignore
import { attribute, edit } from "../ir/index.js";
import { lostConstants } from "./left-by-converters.js";
import { simplifyGraph } from "./simplify.js";

it("says what tf2onnx leaves of Keras' GELU, which no engine takes, as GELU", async () => {
  const make = () =>
    graphOf({ x: ["float32", 1, 3] }, (input, b) => {
      const within = b.add("Mul", [b.add("Neg", [input("x")]), b.floats([Math.SQRT1_2])]);
      const half = b.add("Mul", [input("x"), b.floats([0.5])]);
      return { y: b.add("Mul", [half, b.add("Erfc", [within])]) };
    });
  const feeds = { x: floats([1, 3], [-2, 0.5, 3]) };
  await expect(byEngine(make(), feeds)).rejects.toThrow("Erfc");
  expect((await supportOf(make(), aot)).obstacles).toEqual([]);
  const graph = make();
  await simplifyGraph(graph, {});
  expect(opsOf(graph)).toEqual(["Gelu"]);
  const y = await byEngine(graph, feeds);
  expect(y["y"]?.data[2]).toBeCloseTo(2.99595, 4);
  expect(difference(y, await byModule(graph, feeds))).toBeLessThan(1e-6);
});

it.each([0, 1])("says TensorFlow Lite's GELU, approximate %i, as GELU", async (approximate) => {
  const make = () =>
    graphOf({ x: ["float32", 1, 3] }, (input, b) => ({
      y: b.add("TFL_GELU", [input("x")], { approximate: attribute.int(approximate) }),
    }));
  const feeds = { x: floats([1, 3], [-2, 0.5, 3]) };
  const graph = make();
  await simplifyGraph(graph, {});
  expect(opsOf(graph)).toEqual(["Gelu"]);
  const y = await byEngine(graph, feeds);
  // x · Φ(x), and its approximation by a hyperbolic tangent.
  expect(y["y"]?.data[0]).toBeCloseTo(approximate === 0 ? -0.0455 : -0.045402, 5);
  expect((await supportOf(make(), aot)).obstacles).toEqual([]);
});

it("says of which constants an exporter lost the values", () => {
  const named = (producerName: string) => {
    const inputs = { "net_1/norm_1/Sub/y:0": ["float32", 3], "import/x:0": ["float32", 3], x: ["float32", 3] } as const; // prettier-ignore
    const graph = graphOf(inputs, (input, b) => ({
      y: b.add("Sum", Object.keys(inputs).map(input)),
    }));
    edit(graph, "test", (editor) => editor.setHeader({ producerName }), { interface: true });
    return lostConstants(graph);
  };
  expect(named("tf2onnx")).toEqual([
    "net_1/norm_1/Sub/y:0 was a constant in Keras, which tf2onnx made an input of without its value: what the model gives is right for that alone.",
  ]);
  expect(named("pytorch")).toEqual([]);
});
