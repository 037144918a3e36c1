import { expect, it } from "vitest";
import { attribute } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { planOf } from "../compile.js";
import { enginesHere } from "../kernels/kernel-case.test.support.js";
import { compare, runModule } from "../run-model.test.support.js";

const smallestNormal = 2 ** -126;
/** Down to what exporters write for "not to be seen". */
const scores = [0, -50, -75, -81, -85, -87, -88, -100, -10_000, -3.4028234663852886e38, -Infinity];

it.each([-1, 0])("gives no share that processors are slow with, along axis %i", async (axis) => {
  const length = scores.length;
  const graph = graphOf({ x: ["float32", length, length] }, (x, b) => ({
    y: b.add("Softmax", [x("x")], { axis: attribute.int(axis) }),
  }));
  const plan = await planOf(graph);
  // Every row and every column holds each of them.
  const data = Float32Array.from(
    { length: length ** 2 },
    (_, at) => scores[(Math.floor(at / length) + at) % length] ?? 0,
  );
  for (const engine of enginesHere) {
    const { y } = runModule(plan, { x: { type: "float32", dims: [length, length], data } }, engine);
    for (const [at, share] of [...(y?.data ?? [])].map(Number).entries()) {
      expect(share === 0 || share >= smallestNormal).toBe(true);
      expect(share).toBeCloseTo(Math.exp(data[at] ?? 0), 6);
    }
    expect([...(y?.data ?? [])].filter((share) => Number(share) > 0)).toHaveLength(3 * length);
  }
});

it.each([0, 1, 2, 3])(
  "leaves the zeros around what a convolution reads, along axis %i",
  async (axis) => {
    for (const width of [2, 4, 5]) {
      const graph = graphOf({ x: ["float32", 1, 2, 3, width] }, (x, b) => {
        const shares = b.add("Softmax", [x("x")], { axis: attribute.int(axis) });
        const pads = attribute.ints([1, 1, 1, 1]);
        return { y: b.add("Conv", [shares, b.weights(1, 2, 3, 3)], { pads }) };
      });
      expect(await compare(graph, { poisoned: true, reference: true })).toBeLessThan(2e-5);
    }
  },
);
