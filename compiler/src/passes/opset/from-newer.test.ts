import { expect, it } from "vitest";
import { attribute, type Graph, type ValueId } from "../../ir/index.js";
import { encodeModel } from "../../onnx/index.js";
import {
  type Builder,
  compare,
  type Declared,
  graphOf,
  madeUp,
  opsOf,
} from "../../rules/rule-case.test.support.js";
import { normalizeGraph } from "../normalize.js";
import { reopened, runBytes, sameAfter } from "./opset-case.test.support.js";

type Inputs = Readonly<Record<string, Declared>>;
type Build = (x: (name: string) => ValueId, b: Builder) => Readonly<Record<string, ValueId>>;
const { int, float } = attribute;

const byHead: Inputs = {
  q: ["float32", 2, 4, 5, 8],
  k: ["float32", 2, 4, 6, 8],
  v: ["float32", 2, 4, 6, 3],
};
const shared: Inputs = {
  q: ["float32", 2, 5, 32],
  k: ["float32", 2, 6, 16],
  v: ["float32", 2, 6, 20],
};
const sharing = { q_num_heads: int(4), kv_num_heads: int(2) };
const triple = (x: (name: string) => ValueId) => [x("q"), x("k"), x("v")];

it.each<[string, Inputs, Build]>([
  ["by head", byHead, (x, b) => ({ y: b.add("Attention", triple(x)) })],
  [
    "its own scale, and capped",
    byHead,
    (x, b) => ({ y: b.add("Attention", triple(x), { scale: float(0.7), softcap: float(2) }) }),
  ],
  ["heads that share keys", shared, (x, b) => ({ y: b.add("Attention", triple(x), sharing) })],
  [
    "heads that share keys, by head",
    { ...byHead, q: ["float32", 2, 8, 5, 8] },
    (x, b) => ({ y: b.add("Attention", triple(x)) }),
  ],
  [
    "a mask that is added",
    { ...byHead, m: ["float32", 2, 1, 5, 6] },
    (x, b) => ({ y: b.add("Attention", [...triple(x), x("m")]) }),
  ],
  [
    "a mask of truth values",
    { ...byHead, m: ["bool", 5, 6] },
    (x, b) => ({ y: b.add("Attention", [...triple(x), x("m")]) }),
  ],
  [
    "a mask by which a query may see no key",
    { ...byHead, m: ["float32", 5, 6] },
    (x, b) => {
      const none = b.add("Less", [x("m"), b.floats([-100], [])]);
      return { y: b.add("Attention", [...triple(x), none]) };
    },
  ],
  [
    "a mask of integers",
    { ...byHead, m: ["int32", 5, 6] },
    (x, b) => ({ y: b.add("Attention", [...triple(x), x("m")]) }),
  ],
  ["causal", byHead, (x, b) => ({ y: b.add("Attention", triple(x), { is_causal: int(1) }) })],
  [
    "causal, of lengths that are free, and masked",
    {
      q: ["float32", "b", "s", 32],
      k: ["float32", "b", "t", 16],
      v: ["float32", "b", "t", 16],
      m: ["bool", "s", "t"],
    },
    (x, b) => {
      const masked = [...triple(x), x("m")];
      return { y: b.add("Attention", masked, { ...sharing, is_causal: int(1) }) };
    },
  ],
  [
    "behind keys and values of earlier runs",
    {
      q: ["float32", 1, 2, 3, 4],
      k: ["float32", 1, 2, 3, 4],
      v: ["float32", 1, 2, 3, 4],
      pastKeys: ["float32", 1, 2, "p", 4],
      pastValues: ["float32", 1, 2, "p", 4],
    },
    (x, b) => {
      const inputs = [...triple(x), null, x("pastKeys"), x("pastValues")];
      const [y, keys, values] = b.many("Attention", 3, inputs, { is_causal: int(1) });
      return { y: y ?? x("q"), keys: keys ?? x("q"), values: values ?? x("q") };
    },
  ],
  [
    "keys and values of which a part is padding",
    { ...byHead, m: ["float32", 5, 6] },
    (x, b) => {
      const inputs = [...triple(x), x("m"), null, null, b.ints([6, 3])];
      return { y: b.add("Attention", inputs, { is_causal: int(1) }) };
    },
  ],
  ...[0, 1, 2, 3].map((mode): [string, Inputs, Build] => [
    `what its products are, in mode ${mode}`,
    { ...byHead, m: ["bool", 5, 6], pk: ["float32", 2, 4, 0, 8], pv: ["float32", 2, 4, 0, 3] },
    (x, b) => {
      const attributes = { softcap: float(2), qk_matmul_output_mode: int(mode) };
      const inputs = [...triple(x), x("m"), x("pk"), x("pv")];
      const outputs = b.many("Attention", 4, inputs, attributes);
      return { y: outputs[0] ?? x("q"), products: outputs[3] ?? x("q") };
    },
  ]),
  [
    "one after the other, and nothing declared between them",
    byHead,
    (x, b) => {
      const [q, k, v] = triple(x);
      const first = b.add("Attention", [q ?? null, k ?? null, k ?? null]);
      const normal = b.add("RMSNormalization", [first, b.weights(8)]);
      return { y: b.add("Attention", [b.add("Swish", [normal]), k ?? null, v ?? null]) };
    },
  ],
])("Attention is said in opset 21, %s, and the engine gives the same", async (_, inputs, build) => {
  const graph = graphOf(inputs, build, 24);
  const said = await sameAfter(graph, normalizeGraph, { b: 2, s: 5, t: 6, p: 3 });
  expect(said.opset()).toBe(21);
});

it.each<[string, number, Inputs, Build]>([
  ["Swish", 24, { x: ["float32", 2, 3] }, (x, b) => ({ y: b.add("Swish", [x("x")]) })],
  [
    "Swish, steeper",
    24,
    { x: ["float32", 2, 3] },
    (x, b) => ({ y: b.add("Swish", [x("x")], { alpha: float(1.5) }) }),
  ],
  ...[-1, -2, 1].map((axis): [string, number, Inputs, Build] => [
    `RMSNormalization from axis ${axis}`,
    23,
    { x: ["float32", 2, 3, 4] },
    (x, b) => {
      const scale = axis === -1 ? b.weights(4) : b.weights(3, 4);
      const attributes = { axis: int(axis), epsilon: float(0.1) };
      return { y: b.add("RMSNormalization", [x("x"), scale], attributes) };
    },
  ]),
  [
    "RMSNormalization of zeros in float16",
    23,
    { x: ["float32", 2, 4] },
    (x, b) => {
      const none = b.add("Cast", [b.add("Mul", [x("x"), b.floats([0])])], { to: int(10) });
      const inputs = [none, b.add("Cast", [b.weights(4)], { to: int(10) })];
      const y = b.add("RMSNormalization", inputs, { epsilon: float(1e-12) });
      return { y: b.add("Cast", [y], { to: int(1) }) };
    },
  ],
  [
    "RotaryEmbedding",
    23,
    { x: ["float32", 2, 3, 4, 8], c: ["float32", 2, 4, 4], s: ["float32", 2, 4, 4] },
    (x, b) => ({ y: b.add("RotaryEmbedding", [x("x"), x("c"), x("s")]) }),
  ],
  [
    "RotaryEmbedding of neighbours, of places that are given, of a part",
    23,
    { x: ["float32", 2, 4, 24], c: ["float32", 9, 2], s: ["float32", 9, 2] },
    (x, b) => {
      const places = b.ints([0, 3, 8, 1, 2, 2, 5, 7], [2, 4]);
      return {
        y: b.add("RotaryEmbedding", [x("x"), x("c"), x("s"), places], {
          num_heads: int(3),
          interleaved: int(1),
          rotary_embedding_dim: int(4),
        }),
      };
    },
  ],
])(
  "%s (opset %i) is said in opset 21, and the engine gives the same",
  async (_, opset, ...model) => {
    const said = await sameAfter(graphOf(...model, opset), normalizeGraph);
    expect(said.opset()).toBe(21);
  },
);

it("normalizes what is of another type than its scale, which the engine does not", async () => {
  const normalized = (type: number): Graph =>
    graphOf(
      { x: ["float32", 2, 4] },
      (x, b) => {
        const half = b.add("Cast", [x("x")], { to: int(10) });
        const inputs = [b.add("Cast", [half], { to: int(type) }), b.weights(4)];
        return { y: b.add("RMSNormalization", inputs) };
      },
      23,
    );
  const whole = normalized(1);
  const feeds = madeUp(whole, {});
  const expected = await runBytes((await encodeModel(whole)).proto, feeds);
  const mixed = await reopened(normalized(10));
  normalizeGraph(mixed);
  const { y } = await runBytes((await encodeModel(mixed)).proto, feeds);
  if (expected["y"] === undefined) throw new Error("There is no y.");
  compare("y", expected["y"], y, 1e-6);
});

/** The engine's own refuses them. */
it.each([
  [0, 5, 6],
  [2, 0, 6],
  [2, 5, 0],
])("attends where a batch is of %i, %i queries and %i keys", async (batch, asked, looked) => {
  const inputs: Inputs = {
    q: ["float32", "b", "s", 32],
    k: ["float32", "b", "t", 16],
    v: ["float32", "b", "t", 20],
  };
  const said = await reopened(
    graphOf(inputs, (x, b) => ({ y: b.add("Attention", triple(x), sharing) }), 24),
  );
  normalizeGraph(said);
  const feeds = madeUp(said, { b: batch, s: asked, t: looked });
  const { y } = await runBytes((await encodeModel(said)).proto, feeds);
  expect(y).toEqual({
    type: "float32",
    dims: [batch, asked, 40],
    data: new Float32Array(batch * asked * 40),
  });
});

it("masks the keys behind a mask that is shorter", async () => {
  const inputs: Inputs = { ...byHead, m: ["float32", 5, 6] };
  const masked = (length: number) =>
    graphOf(
      inputs,
      (x, b) => {
        const part = b.add("Slice", [x("m"), b.ints([0]), b.ints([4]), b.ints([1])]);
        const never = b.floats([-3.4028234663852886e38], []);
        const whole = b.add("Pad", [part, b.ints([0, 2]), never, b.ints([1])]);
        return { y: b.add("Attention", [...triple(x), length === 4 ? part : whole]) };
      },
      24,
    );
  // The engine knows no shorter mask: it is shown one that is filled up.
  const short = await reopened(masked(4));
  normalizeGraph(short);
  await sameAfter(masked(6), (graph) => {
    normalizeGraph(graph);
    expect(opsOf(short).filter((op) => op === "Pad")).toHaveLength(1);
  });
});

it("spreads a mask of one column over all keys before opset 24", async () => {
  const inputs: Inputs = { ...byHead, m: ["float32", 5, 1] };
  const masked = (isWide: boolean) =>
    graphOf(
      inputs,
      (x, b) => {
        const mask = isWide ? b.add("Expand", [x("m"), b.ints([5, 6])]) : x("m");
        return { y: b.add("Attention", [...triple(x), mask]) };
      },
      23,
    );
  // The engine spreads none: it is shown one that is.
  const feeds = madeUp(masked(true), {});
  const expected = await runBytes((await encodeModel(masked(true))).proto, feeds);
  const narrow = await reopened(masked(false));
  normalizeGraph(narrow);
  expect(opsOf(narrow)).not.toContain("Pad");
  const { y } = await runBytes((await encodeModel(narrow)).proto, feeds);
  if (expected["y"] === undefined) throw new Error("There is no y.");
  compare("y", expected["y"], y, 1e-6);
});

it.each<[string, RegExp, Inputs, Build]>([
  [
    "heads that are not counted",
    /how many heads it has is not known/,
    shared,
    (x, b) => ({ y: b.add("Attention", triple(x)) }),
  ],
  [
    "heads that do not share its channels",
    /3 heads do not share 32 channels/,
    shared,
    (x, b) => ({ y: b.add("Attention", triple(x), { q_num_heads: int(3), kv_num_heads: int(3) }) }),
  ],
  [
    "precisions that there are not",
    /softmax_precision is 999/,
    byHead,
    (x, b) => ({ y: b.add("Attention", triple(x), { softmax_precision: int(999) }) }),
  ],
  [
    "outputs that there are not",
    /an output is read that it does not have/,
    byHead,
    (x, b) => {
      const [y, z] = b.many("Swish", 2, [x("q")]);
      return { y: y ?? x("q"), z: z ?? x("q") };
    },
  ],
  ...[-1_000_000_000, 4].map((axis): [string, RegExp, Inputs, Build] => [
    `an axis ${axis}`,
    /it has no axis/,
    byHead,
    (x, b) => ({ y: b.add("RMSNormalization", [x("q"), b.weights(8)], { axis: int(axis) }) }),
  ]),
  ...[3, -4, 10].map((turned): [string, RegExp, Inputs, Build] => [
    `to turn ${turned} of 8 numbers`,
    /it cannot turn/,
    byHead,
    (x, b) => ({
      y: b.add("RotaryEmbedding", [x("q"), b.weights(2, 5, 4), b.weights(2, 5, 4)], {
        rotary_embedding_dim: int(turned),
      }),
    }),
  ]),
  [
    "a mask of more keys than there are",
    /its mask is about 9 keys, and there are 6/,
    { ...byHead, m: ["float32", 5, 9] },
    (x, b) => ({ y: b.add("Attention", [...triple(x), x("m")]) }),
  ],
  [
    "heads of a width that is free",
    /the width of its heads is not known/,
    { ...byHead, q: ["float32", 2, 4, 5, "w"] },
    (x, b) => ({ y: b.add("Attention", triple(x)) }),
  ],
])("refuses %s", (_, message, inputs, build) => {
  const graph = graphOf(inputs, build, 24);
  expect(() => normalizeGraph(graph)).toThrow(
    expect.objectContaining({ code: "MODEL_VERSION", message: expect.stringMatching(message) }),
  );
});
