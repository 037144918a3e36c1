import { elementCount, type Tensor as Dense } from "@pare/runtime/format";
import { describe, expect, test } from "vitest";
import {
  attribute,
  type Attributes,
  edit,
  Graph,
  newHeader,
  type Node,
  Tensor,
  tensorType,
  type ValueId,
} from "../../ir/index.js";
import { evaluateNode } from "../reference/evaluate.js";
import { channelNode } from "../channels/channel-node.js";
import { inferNode } from "../shape/infer.js";
import { operators } from "../table.js";
import { movesExactly } from "./data-movement.js";

/** What a node is given besides x [2, 3, 4, 4]. */
interface Given {
  readonly inputs?: readonly Dense[];
  readonly attributes?: Attributes;
  /** Where it cannot take x's numbers as they are: all above 0. */
  readonly positive?: true;
}

const dims = [2, 3, 4, 4];
const int64 = (...values: number[]): Dense => ({
  type: "int64",
  dims: [values.length],
  data: BigInt64Array.from(values, BigInt),
});
const float32 = (values: readonly number[], shape: readonly number[] = [values.length]): Dense => ({
  type: "float32",
  dims: shape,
  data: Float32Array.from(values),
});
const window: Attributes = {
  kernel_shape: attribute.ints([2, 2]),
  strides: attribute.ints([2, 1]),
};

const given: Readonly<Record<string, Given>> = {
  AveragePool: { attributes: window },
  BatchNormalization: {
    inputs: [
      float32([2, -1, 0.5]),
      float32([1, 2, 3]),
      float32([0.1, 0.2, 0.3]),
      float32([1, 2, 3]),
    ],
  },
  Clip: { inputs: [float32([-0.5], []), float32([0.75], [])] },
  Compress: {
    inputs: [{ type: "bool", dims: [3], data: Uint8Array.of(1, 0, 1) }],
    attributes: { axis: attribute.int(1) },
  },
  DepthToSpace: { attributes: { blocksize: attribute.int(1) } },
  Expand: { inputs: [int64(2, 2, 3, 4, 4)] },
  Gather: { inputs: [int64(2, 0, 2)], attributes: { axis: attribute.int(1) } },
  GatherElements: { inputs: [{ ...int64(0, 1, 1, 0), dims: [1, 1, 2, 2] }] },
  GatherND: { inputs: [{ ...int64(1, 2, 0, 1), dims: [2, 2] }] },
  InstanceNormalization: { inputs: [float32([2, -1, 0.5]), float32([1, 2, 3])] },
  Log: { positive: true },
  LpPool: { attributes: window },
  MaxPool: { attributes: window },
  PRelu: { inputs: [float32([0.25, -0.5, 2], [3, 1, 1])] },
  Reciprocal: { positive: true },
  Reshape: { inputs: [int64(2, -1)] },
  ReverseSequence: { inputs: [int64(1, 2, 2)], attributes: { batch_axis: attribute.int(1) } },
  Slice: { inputs: [int64(3), int64(-10), int64(3), int64(-2)] },
  SpaceToDepth: { attributes: { blocksize: attribute.int(2) } },
  Split: { attributes: { axis: attribute.int(1), num_outputs: attribute.int(1) } },
  Sqrt: { positive: true },
  Tile: { inputs: [int64(1, 2, 1, 1)] },
  TopK: { inputs: [int64(2)] },
  Transpose: { attributes: { perm: attribute.ints([2, 1, 0, 3]) } },
  Unsqueeze: { inputs: [int64(1)] },
};

/** Numbers of both signs that are all different, and are held exactly with their small multiples. */
function xOf(key: string): Float32Array {
  const sign = given[key]?.positive === true ? Math.abs : (x: number) => x;
  return Float32Array.from({ length: elementCount(dims) }, (_, i) =>
    sign((((i * 37) % 97) - 48 || 0.5) / 16),
  );
}

/** The first output of an operator of x by its reference evaluation. */
function applied(key: string, x: Float32Array, shaping: Attributes = {}): Dense {
  const { inputs = [] } = given[key] ?? {};
  const { graph, node } = graphOf(key, shaping);
  const [y] = evaluateNode(graph, node, [{ type: "float32", dims, data: x }, ...inputs]) ?? [];
  if (y === undefined || y === null) throw new Error(`${key} was not evaluated`);
  return y;
}

/** A graph of the operator alone; what else it is given is constant. */
function graphOf(
  key: string,
  shaping: Attributes = {},
): { readonly graph: Graph; readonly node: Node } {
  const { inputs = [], attributes = {} } = given[key] ?? {};
  const [op = key, domain = ""] = key.split("::").reverse();
  const graph = new Graph(newHeader(), inferNode);
  edit(
    graph,
    "build",
    (editor) => {
      const ids: ValueId[] = [editor.addInput("x", tensorType("float32", dims))];
      for (const [index, { type, dims: shape, data }] of inputs.entries())
        ids.push(editor.constant(`c${index}`, Tensor.of(type, shape, data)));
      editor.add(op, ids, { ...attributes, ...shaping }, { domain });
    },
    { interface: true },
  );
  const [node] = graph.allNodes();
  if (node === undefined) throw new Error("no node");
  return { graph, node };
}

const withTrait = <Trait>(
  pick: (traits: NonNullable<ReturnType<typeof operators.get>>["traits"]) => Trait | undefined,
): readonly (readonly [string, Trait])[] =>
  [...operators].flatMap(([key, { traits }]) => {
    const found = pick(traits);
    return found === undefined ? [] : [[key, found] as const];
  });

const scalings = withTrait((traits) => traits.scaling);
const movements = withTrait((traits) => traits.dataMovement);
const ranges = withTrait((traits) => traits.range);
const places = withTrait((traits) => traits.elementwise);

function scaled(x: Float32Array, factors: readonly number[]): Float32Array {
  const channel = (i: number): number => Math.floor(i / 16) % 3;
  return x.map((value, i) => value * (factors[channel(i)] ?? 1));
}

/** For each element of y the channel of x that it is of, as `ops/channels` says. */
function channelsOf(key: string, graph: Graph, node: Node, y: Dense): readonly number[] {
  const couplings = operators.get(key)?.channels?.couplings(channelNode(graph, node)) ?? [];
  const { ties = [] } =
    couplings.find((one) =>
      one.ties.some(({ port, axis }) => port.side === "input" && axis === 1),
    ) ?? {};
  const place = ties.find(({ port }) => port.side === "output");
  if (place === undefined) throw new Error(`${key} does not say where channels are`);
  const inner = elementCount(y.dims.slice(place.axis + 1));
  const size = y.dims[place.axis] ?? 1;
  return Array.from({ length: elementCount(y.dims) }, (_, i) =>
    place.channelOf(Math.floor(i / inner) % size),
  );
}

/** Does an operator commute with factors of the channels? */
function commutes(key: string, factors: readonly number[]): boolean {
  const x = xOf(key);
  const { graph, node } = graphOf(key);
  const y = applied(key, x);
  const owners = channelsOf(key, graph, node, y);
  const found = applied(key, scaled(x, factors)).data;
  return owners.every((channel, i) => {
    const expected = Number(y.data[i]) * (factors[channel] ?? 1);
    return Math.abs(Number(found[i]) - expected) <= 1e-5 * Math.abs(expected);
  });
}

describe("scaling", () => {
  test.each(scalings)("of %s is by %s factors", (key, scaling) => {
    expect(commutes(key, [0.5, 2, 4])).toBe(true);
    expect(commutes(key, [-0.5, 2, -4])).toBe(scaling === "any");
  });

  test.each(["BatchNormalization", "Clip", "Gelu", "HardSwish", "Sigmoid", "Softplus", "Tanh"])(
    "of %s is by none",
    (key) => {
      expect(operators.get(key)?.traits.scaling).toBeUndefined();
      expect(commutes(key, [0.5, 2, 4])).toBe(false);
    },
  );
});

describe("element by element", () => {
  // Each is given as many of itself as it must have.
  const own = places.filter(
    ([key]) => given[key]?.inputs === undefined && operators.get(key)?.reference !== undefined,
  );

  test.each(own.map(([key]) => key))(
    "%s computes each element from those in its own place",
    (key) => {
      const { graph, node } = graphOf(key);
      const count = operators.get(key)?.schema.inputs.filter(({ arity }) => arity === "one").length;
      const evaluate = (data: Float32Array): readonly number[] => {
        const x = { type: "float32", dims: [data.length], data } as const;
        const [y] = evaluateNode(graph, node, Array.from({ length: Math.max(1, count ?? 1) }, () => x)) ?? []; // prettier-ignore
        return Array.from(y?.data ?? [], Number);
      };
      const x = xOf(key);
      expect(evaluate(x.slice(3, 40))).toEqual(evaluate(x).slice(3, 40));
    },
  );

  test("is said of most operators that compute", () => expect(own.length).toBeGreaterThan(50));
});

describe("data movement", () => {
  const moving = movements.filter(([key]) => !["Concat", "Where", "Pad", "Trilu"].includes(key));

  test.each(moving)("%s %s its elements", (key, movement) => {
    expect(movesExactly(movement)).toBe(true);
    const x = xOf(key);
    const y = Array.from(applied(key, x).data, Number);
    expect(y.length).toBeGreaterThan(0);
    expect(y.every((value) => x.includes(value))).toBe(true);
    if (movement === "copies" || movement === "reshapes") expect(y).toEqual([...x]);
    if (movement === "permutes")
      expect([...y].sort((a, b) => a - b)).toEqual([...x].sort((a, b) => a - b));
  });

  test("of several inputs, or with a constant, is not exact", () => {
    const others = movements.filter(([, movement]) => movement === "joins" || movement === "pads");
    expect(others.map(([key]) => key).sort()).toEqual(["Concat", "Pad", "Trilu", "Where"]);
    expect(others.some(([, movement]) => movesExactly(movement))).toBe(false);
  });
});

test.each(ranges)("the result of %s lies in %o", (key, [least, greatest]) => {
  const isShaped = operators.get(key)?.schema.attributes.includes("alpha") === true;
  const shapings: readonly Attributes[] = isShaped ? [{}, { alpha: attribute.float(-2) }] : [{}];
  for (const shaping of shapings) {
    for (const factor of [1, 1e-3, 1e3]) {
      const x = xOf(key).map((value) => value * factor);
      const numbers = Array.from(applied(key, x, shaping).data, Number);
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...numbers)).toBeLessThanOrEqual(greatest);
    }
  }
});

test("every attribute that names a result's dtype is known as one", () => {
  const names = ["to", "dtype", "output_datatype", "output_dtype"];
  for (const [key, { schema, traits }] of operators) {
    // Some share a schema with the standard's operators, and take no such attribute.
    if (key.startsWith("com.microsoft::")) continue;
    const named = schema.attributes.find((name) => names.includes(name));
    expect(traits.outputDtype, key).toBe(named);
  }
});
