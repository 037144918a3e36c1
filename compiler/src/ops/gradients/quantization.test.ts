import { describe, expect, it } from "vitest";
import { attribute, type Attributes, type NodeId, Tensor, type ValueId } from "../../ir/index.js";
import { type Builder, graphOf } from "../../rules/rule-case.test.support.js";
import { floatsOf, load, withGradients } from "../../train/gradient-check.test.support.js";
import { only } from "./case.test.support.js";

const { int } = attribute;

/** QuantizeLinear and DequantizeLinear behind it, with a zero point. */
function faked(
  { editor, add }: Builder,
  x: ValueId,
  scale: ValueId,
  zeroPoint: Tensor,
  attributes: Attributes = {},
): ValueId {
  const zero = editor.constant("zero", zeroPoint);
  const integers = add("QuantizeLinear", [x, scale, zero], attributes);
  return add("DequantizeLinear", [integers, scale, zero], attributes);
}

async function gradientsOf(
  graph: ReturnType<typeof graphOf>,
  feeds: Readonly<Record<string, readonly number[]>>,
  backend: "cpu" | "wasm" = "cpu",
  straightThrough: ReadonlySet<NodeId> = new Set(),
): Promise<(name: string) => readonly number[]> {
  withGradients(graph, "cpu", { straightThrough });
  const session = await load(graph, backend);
  const tensors = session.inputs.map(({ name, dims }) => {
    const given = Float32Array.from(feeds[name] ?? []);
    return [name, { type: "float32" as const, dims: dims.map(Number), data: given }] as const;
  });
  const results = await session.run(Object.fromEntries(tensors));
  await session.dispose();
  return (name) => [...floatsOf(results[`${name}.gradient`])];
}

describe("fake quantization", () => {
  // Of uint8 with a zero point of 128: −12.8 … 12.7 in steps of 0.1.
  const x = [0.04, -0.26, 12.69, 12.9, -12.79, -13, 0.149];

  it.each(["cpu", "wasm"] as const)(
    "passes gradients where x is not saturated, and learns its step, on %s",
    async (backend) => {
      const graph = graphOf({ x: ["float32", 7], scale: ["float32"] }, (input, builder) => ({
        y: faked(builder, input("x"), input("scale"), Tensor.of("uint8", [], Uint8Array.of(128))),
      }));
      const dY = [1, 2, 3, 4, 5, 6, 7];
      const found = await gradientsOf(graph, { x, scale: [0.1], "weights of y": dY }, backend);
      const expected = [1, 2, 3, 0, 5, 0, 7];
      found("x").forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? 0, 4));
      // The learned step size: round(x / s) − x / s inside, the bound outside (LSQ, Esser et al. 2020).
      const steps = x.map((value, i) => {
        const ratio = value / 0.1;
        const inside = expected[i] !== 0;
        const slope = inside ? Math.round(ratio) - ratio : Math.max(-128, Math.min(127, ratio));
        return slope * (dY[i] ?? 0);
      });
      const sum = steps.reduce((total, step) => total + step, 0);
      expect(only(found("scale")[0])).toBeCloseTo(sum, 2);
    },
  );

  it("learns a step for each channel, and for each block", async () => {
    const perChannel = graphOf(
      { x: ["float32", 2, 3], scale: ["float32", 2] },
      (input, builder) => ({
        y: faked(builder, input("x"), input("scale"), Tensor.of("int8", [2], Int8Array.of(0, 0)), {
          axis: int(0),
        }),
      }),
    );
    const feeds = {
      x: [0.12, 0.1, -20, 3, 0.6, -0.4],
      scale: [0.1, 0.5],
      "weights of y": [1, 1, 1, 1, 1, 1],
    };
    const found = await gradientsOf(perChannel, feeds);
    expect(found("x").map(Math.round)).toEqual([1, 1, 0, 1, 1, 1]);
    // −0.2 + 0 − 128 and 0 − 0.2 − 0.2
    expect(only(found("scale")[0])).toBeCloseTo(-128.2, 3);
    expect(only(found("scale")[1])).toBeCloseTo(-0.4, 3);
    const inBlocks = graphOf(
      { x: ["float32", 1, 4], scale: ["float32", 1, 2] },
      (input, builder) => ({
        y: faked(
          builder,
          input("x"),
          input("scale"),
          Tensor.of("int8", [1, 2], Int8Array.of(0, 0)),
          { axis: int(1), block_size: int(2) },
        ),
      }),
    );
    const blocks = await gradientsOf(inBlocks, {
      x: [0.12, 0.1, 0.6, -0.4],
      scale: [0.1, 0.5],
      "weights of y": [1, 1, 1, 1],
    });
    expect(blocks("x").map(Math.round)).toEqual([1, 1, 1, 1]);
    expect(only(blocks("scale")[0])).toBeCloseTo(-0.2, 3);
    expect(only(blocks("scale")[1])).toBeCloseTo(-0.4, 3);
  });

  it("of 4 bits saturates at −8 and 7", async () => {
    const graph = graphOf({ x: ["float32", 4], scale: ["float32"] }, (input, builder) => ({
      y: faked(builder, input("x"), input("scale"), Tensor.of("int4", [], Int8Array.of(0))),
    }));
    const feeds = { x: [-8.4, -8.6, 7.4, 7.6], scale: [1], "weights of y": [1, 1, 1, 1] };
    const found = await gradientsOf(graph, feeds);
    expect(found("x")).toEqual([1, 0, 1, 0]);
  });
});

describe("rounding", () => {
  const rounded = () =>
    graphOf({ x: ["float32", 3] }, (input, { add }) => ({
      y: add("Mul", [add("Round", [input("x")]), input("x")]),
    }));
  const feeds = { x: [0.4, 1.6, -0.7], "weights of y": [1, 1, 1] };
  const near = (values: readonly number[]) => values.map((value) => Number(value.toFixed(5)));

  it("passes no gradient", async () => {
    const found = await gradientsOf(rounded(), feeds);
    expect(near(found("x"))).toEqual([0, 2, -1]);
  });

  it("passes it straight through where the caller says so", async () => {
    const graph = rounded();
    const round = only([...graph.allNodes()].find(({ op }) => op === "Round"));
    const found = await gradientsOf(graph, feeds, "cpu", new Set([round.id]));
    expect(near(found("x"))).toEqual([0.4, 3.6, -1.7]);
  });
});
