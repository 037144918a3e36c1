import { describe, expect, it } from "vitest";
import { attribute, type Attributes, Tensor, tensorType, type ValueId } from "../ir/index.js";
import {
  apply,
  type Builder,
  compare,
  type Declared,
  graphOf,
  madeUp,
  onEngine,
} from "./rule-case.test.support.js";
import { scanAtOnce } from "./scans.js";

interface Inner {
  state(at: number): ValueId;
  row(at: number): ValueId;
  add(op: string, inputs: readonly (ValueId | null)[], attributes?: Attributes): ValueId;
  constant(tensor: Tensor): ValueId;
}

/** A Scan over states s0, s1, … and rows r0, r1, …; the body gives a result for each row. */
function scanning(
  b: Builder,
  states: readonly (readonly [ValueId, Declared])[],
  rows: readonly (readonly [ValueId, Declared])[],
  build: (inner: Inner) => {
    readonly results: readonly ValueId[];
    readonly next?: readonly ValueId[];
  },
  more: Attributes = {},
): readonly ValueId[] {
  const { editor } = b;
  const body = editor.addBody("body");
  const input = (name: string, [dtype, ...dims]: Declared): ValueId =>
    editor.addInput(name, tensorType(dtype, dims.map(Number)), body);
  const own = states.map(([, declared], at) => input(`s${at}`, declared));
  const scanned = rows.map(([, declared], at) => input(`r${at}`, declared));
  const inner: Inner = {
    state: (at) => present(own[at]),
    row: (at) => present(scanned[at]),
    add: (op, inputs, attributes = {}) => editor.add1(op, inputs, attributes, { body }),
    constant: (tensor) => editor.constant("k", tensor, body),
  };
  const { results, next = own.map((id) => inner.add("Identity", [id])) } = build(inner);
  for (const id of [...next, ...results]) editor.addOutput(id, body);
  return b.many("Scan", next.length + results.length, [...states, ...rows].map(([id]) => id), {
    body: attribute.graph(body),
    num_scan_inputs: attribute.int(rows.length),
    ...more,
  }); // prettier-ignore
}

const features = 3;

function present(id: ValueId | undefined): ValueId {
  if (id === undefined) throw new Error("there is no such value");
  return id;
}
/** Distances of samples x [2, 3] to five rows, as scikit-learn's converter writes them. */
function distances(
  distance: (inner: Inner, difference: ValueId) => ValueId,
  more: Attributes = {},
): ReturnType<typeof graphOf> {
  return graphOf({ x: ["float32", 2, features] }, (input, b) => {
    const rows = b.weights(5, features);
    const all = scanning(
      b,
      [[input("x"), ["float32", 2, features]]],
      [[rows, ["float32", features]]],
      (inner) => {
        const [x, row] = [inner.state(0), inner.row(0)];
        return { results: [inner.add("Identity", [distance(inner, inner.add("Sub", [x, row]))])] };
      },
      more,
    );
    return { y: b.add("Neg", [present(all.at(-1))]) };
  });
}

function reduced(inner: Inner, op: string, x: ValueId, axes: readonly number[]): ValueId {
  return inner.add(op, [x, inner.constant(Tensor.int64(axes))], { keepdims: attribute.int(0) });
}

describe("a Scan whose states stay is done for all rows at once", () => {
  it.each<[string, (inner: Inner, difference: ValueId) => ValueId, readonly string[]]>([
    ["squares", (inner, x) => reduced(inner, "ReduceSumSquare", x, [1]), ["ReduceSumSquare"]],
    [
      "squares over the last axis",
      (inner, x) => reduced(inner, "ReduceSumSquare", x, [-1]),
      ["ReduceSumSquare"],
    ],
    [
      "absolutes",
      (inner, x) => reduced(inner, "ReduceSum", inner.add("Abs", [x]), [1]),
      ["Abs", "ReduceSum"],
    ],
    [
      "powers",
      (inner, x) =>
        reduced(
          inner,
          "ReduceSum",
          inner.add("Pow", [inner.add("Abs", [x]), inner.constant(Tensor.float32([], [3]))]),
          [1],
        ),
      ["Abs", "Pow", "ReduceSum"],
    ],
    [
      "all axes",
      (inner, x) => inner.add("ReduceMean", [x], { keepdims: attribute.int(0) }),
      ["ReduceMean"],
    ],
  ])("distances by %s", async (_, distance, ops) => {
    const graph = distances(distance);
    const feeds = madeUp(graph, {});
    const expected = await onEngine(graph, feeds);
    const { ops: left } = await apply(scanAtOnce, graph);
    // An evaluation takes axes from wherever they are said; an engine does not.
    for (const [name, tensor] of Object.entries(await onEngine(graph, feeds)))
      compare(name, tensor, expected[name], 1e-6);
    expect(left.filter((op) => op !== "Identity")).toEqual(["Unsqueeze", "Sub", ...ops, "Neg"]);
  });

  it("what is the same for all rows once, rows of two inputs, states that the Scan gives back", async () => {
    const graph = graphOf(
      { s: ["float32", 2], x: ["float32", 4], z: ["float32", 4, 2] },
      (input, b) => {
        const given = [
          [input("x"), ["float32"]],
          [input("z"), ["float32", 2]],
        ] as const;
        const all = scanning(b, [[input("s"), ["float32", 2]]], given, (inner) => {
          const [s, x, z] = [inner.state(0), inner.row(0), inner.row(1)];
          const same = inner.add("Exp", [inner.add("Mul", [s, inner.constant(Tensor.float32([], [0.5]))])]); // prettier-ignore
          const scaled = inner.add("Mul", [same, x]);
          return { results: [inner.add("Add", [scaled, z]), inner.add("Neg", [x])] };
        });
        const [state, sum, negative] = all.map((id) => b.add("Neg", [id]));
        return { state: present(state), sum: present(sum), negative: present(negative) };
      },
    );
    const { ops } = await apply(scanAtOnce, graph);
    expect(ops).not.toContain("Scan");
    expect(ops.filter((op) => op === "Exp")).toHaveLength(1);
  });
});

describe("a Scan stays", () => {
  const squares = (inner: Inner, x: ValueId): ValueId => reduced(inner, "ReduceSumSquare", x, [1]);

  it.each<[string, Attributes]>([
    ["that goes backwards", { scan_input_directions: attribute.ints([1]) }],
    ["that stacks along another axis", { scan_output_axes: attribute.ints([1]) }],
  ])("%s", async (_, more) => {
    expect((await apply(scanAtOnce, distances(squares, more))).ops).toContain("Scan");
  });

  it("that does what is not known of all rows", async () => {
    const graph = distances((inner, x) => reduced(inner, "ReduceSum", inner.add("Softmax", [x]), [1])); // prettier-ignore
    expect((await apply(scanAtOnce, graph)).ops).toContain("Scan");
  });

  it("that sums single numbers over no axes, which would then be over all rows", async () => {
    const graph = graphOf({ x: ["float32", 4] }, (input, b) => {
      const given = [[input("x"), ["float32"]]] as const;
      const all = scanning(b, [], given, (inner) => ({
        results: [inner.add("ReduceSum", [inner.row(0)])],
      }));
      return { y: b.add("Neg", [present(all.at(-1))]) };
    });
    expect((await apply(scanAtOnce, graph)).ops).toContain("Scan");
  });

  it("whose rows bound what is the same for all, which one number has to", async () => {
    const graph = graphOf({ s: ["float32", 2], x: ["float32", 4] }, (input, b) => {
      const all = scanning(
        b,
        [[input("s"), ["float32", 2]]],
        [[input("x"), ["float32"]]],
        (inner) => ({ results: [inner.add("Clip", [inner.state(0), inner.row(0)])] }),
      );
      return { y: b.add("Neg", [present(all.at(-1))]) };
    });
    expect((await apply(scanAtOnce, graph)).ops).toContain("Scan");
  });

  it("whose states change", async () => {
    const graph = graphOf({ s: ["float32", 2], x: ["float32", 4, 2] }, (input, b) => {
      const all = scanning(
        b,
        [[input("s"), ["float32", 2]]],
        [[input("x"), ["float32", 2]]],
        (inner) => {
          const [s, x] = [inner.state(0), inner.row(0)];
          const next = inner.add("Add", [s, x]);
          return { next: [next], results: [inner.add("Neg", [x])] };
        },
      );
      return { y: b.add("Neg", [present(all.at(-1))]) };
    });
    expect((await apply(scanAtOnce, graph)).ops).toContain("Scan");
  });

  it("whose rows would take too much at once", async () => {
    const graph = graphOf({ x: ["float32", 2, 1024] }, (input, b) => {
      const rows = b.weights(600, 1024);
      const all = scanning(
        b,
        [[input("x"), ["float32", 2, 1024]]],
        [[rows, ["float32", 1024]]],
        (inner) => {
          const [x, row] = [inner.state(0), inner.row(0)];
          return { results: [reduced(inner, "ReduceSumSquare", inner.add("Sub", [x, row]), [1])] };
        },
      );
      return { y: b.add("Neg", [present(all.at(-1))]) };
    });
    expect((await apply(scanAtOnce, graph)).ops).toContain("Scan");
  });
});
