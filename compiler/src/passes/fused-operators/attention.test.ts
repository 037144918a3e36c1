import { expect, it } from "vitest";
import { attribute, type ValueId } from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import {
  type Builder,
  type Declared,
  graphOf,
  madeUp,
} from "../../rules/rule-case.test.support.js";
import { runBytes } from "../opset/opset-case.test.support.js";
import { own } from "../quantized-operators/quantized-case.test.support.js";
import { sayAttention } from "./say-fused.js";

type Build = (b: Builder, input: (name: string) => ValueId) => ValueId;
const heads = { num_heads: attribute.int(2) };

const kinds: readonly (readonly [string, Readonly<Record<string, Declared>>, Build])[] = [
  [
    "its own projections",
    { q: ["float32", "n", "s", 5] },
    (b, input) => own(b, "Attention", [input("q"), b.weights(5, 24), b.weights(24)], heads),
  ],
  [
    "what was projected before",
    { q: ["float32", "n", "s", 8], k: ["float32", "n", "t", 8], v: ["float32", "n", "t", 8] },
    (b, input) => own(b, "MultiHeadAttention", ["q", "k", "v"].map(input), heads),
  ],
  [
    "keys and values by head",
    { q: ["float32", "n", "s", 8], k: ["float32", "n", 2, "t", 4], v: ["float32", "n", 2, "t", 4] },
    (b, input) => own(b, "MultiHeadAttention", ["q", "k", "v"].map(input), heads),
  ],
];

it.each(kinds)("of %s attends where a batch or a length is 0", async (_, inputs, build) => {
  const graph = graphOf(inputs, (input, b) => ({ y: build(b, input) }));
  expect(sayAttention(graph).size).toBe(0);
  const { proto } = await encodeModel(graph);
  for (const [n, s, t] of [
    [0, 3, 4],
    [2, 0, 4],
    [2, 3, 0],
  ] as const) {
    const { y } = await runBytes(proto, madeUp(graph, { n, s, t }));
    expect(y?.dims).toEqual([n, s, 8]);
  }
});
