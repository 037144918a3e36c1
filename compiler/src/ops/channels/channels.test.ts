import { dtypeArray, elementCount, type Tensor as Dense } from "@pare/runtime/format";
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
} from "../../ir/index.js";
import { take } from "../elements/take.js";
import { sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { evaluateNode } from "../reference/evaluate.js";
import { binarySchemas } from "../schema/binary.js";
import { logicalSchemas } from "../schema/logical.js";
import { inferNode } from "../shape/infer.js";
import { operators } from "../table.js";
import { unarySchemas } from "../schema/unary.js";
import { channelNode } from "./channel-node.js";
import { channels } from "./channels.js";
import { type Coupling, input, type Kept, output, type Port } from "./coupling.js";

/** An input that is fed, or a constant; null is left out. */
type Given = (Dense & { readonly constant?: true }) | null;

interface Case {
  readonly inputs: readonly Given[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

let state = 1;
const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;

/** All above 0, and no two alike. */
function floats(...dims: readonly number[]): Dense {
  const data = Float32Array.from({ length: elementCount(dims) }, () => 0.1 + random());
  return { type: "float32", dims, data };
}

function fixed(...dims: readonly number[]): Given {
  return { ...floats(...dims), constant: true };
}

function ints(...values: readonly number[]): Given {
  const data = BigInt64Array.from(values, BigInt);
  return { type: "int64", dims: [values.length], data, constant: true };
}

/** Below a limit; by data, so that they are no constant. */
function positions(dims: readonly number[], limit: number): Given {
  const data = BigInt64Array.from({ length: elementCount(dims) }, (_, at) => BigInt(at % limit));
  return { type: "int64", dims, data };
}

function drawn(type: "bool" | "int32" | "uint32", ...dims: readonly number[]): Dense {
  const most = type === "bool" ? 2 : 5;
  const values = Array.from({ length: elementCount(dims) }, () => Math.floor(random() * most));
  return { type, dims, data: (dtypeArray[type] as Uint32ArrayConstructor).from(values) };
}

const { int, string } = attribute;
const equation = (text: string): Attributes => ({ equation: string(text) });
const axis = (value: number): Attributes => ({ axis: int(value) });
const x = (): Dense => floats(2, 4, 3, 5);
const window: Attributes = { kernel_shape: attribute.ints([2, 2]) };

/** Two operands that are broadcast: the same channels, one place for all, an axis less. */
function operands(make: (...dims: readonly number[]) => Dense): readonly Case[] {
  return [
    { inputs: [make(2, 4, 3), make(2, 4, 3)] },
    { inputs: [make(2, 4, 3), make(4, 1)] },
    { inputs: [make(3), make(2, 4, 3)] },
  ];
}

const unary = Object.fromEntries(
  Object.keys(unarySchemas).map((key): [string, readonly Case[]] => [
    key,
    [
      {
        inputs: [
          key === "Not"
            ? drawn("bool", 2, 4, 3)
            : key === "BitwiseNot"
              ? drawn("int32", 2, 4, 3)
              : floats(2, 4, 3),
        ],
      },
    ],
  ]),
);
const binary = Object.fromEntries(
  [...Object.keys(binarySchemas), ...Object.keys(logicalSchemas)].map(
    (key): [string, readonly Case[]] => {
      if (["And", "Or", "Xor"].includes(key))
        return [key, operands((...dims) => drawn("bool", ...dims))];
      if (key.startsWith("Bit")) return [key, operands((...dims) => drawn("uint32", ...dims))];
      return [key, operands(floats)];
    },
  ),
);
const reductions = [1, 2].flatMap((at): Case[] =>
  [0, 1].map((keep) => ({
    inputs: [floats(2, 4, 3), ints(at)],
    attributes: { keepdims: int(keep) },
  })),
);
const oneAxis: readonly Case[] = [1, -1].map((at) => ({
  inputs: [floats(2, 4, 3)],
  attributes: axis(at),
}));
const cell = (gates: number, more: readonly Given[] = []): readonly Case[] => [
  {
    inputs: [
      floats(3, 2, 4),
      fixed(2, gates * 3, 4),
      fixed(2, gates * 3, 3),
      fixed(2, gates * 6),
      null,
      ...more,
    ],
    attributes: { direction: string("bidirectional"), hidden_size: int(3) },
    outputs: gates === 4 ? 3 : 2,
  },
];

const cases: Readonly<Record<string, readonly Case[]>> = {
  ...unary,
  ...binary,
  BitShift: operands((...dims) => drawn("uint32", ...dims)).map((one) => ({
    ...one,
    attributes: { direction: string("LEFT") },
  })),
  Mod: operands(floats).map((one) => ({ ...one, attributes: { fmod: int(1) } })),
  PRelu: [{ inputs: [floats(2, 4, 3), fixed(4, 1)] }],
  Where: [{ inputs: [drawn("bool", 4, 1), floats(2, 4, 3), floats(3)] }],
  Max: [{ inputs: [floats(2, 4, 3), floats(4, 3), floats(3)] }],
  Min: operands(floats),
  Sum: operands(floats),
  Mean: operands(floats),
  Clip: [
    {
      inputs: [
        floats(2, 4, 3),
        { type: "float32", dims: [], data: Float32Array.of(0.3), constant: true },
      ],
    },
  ],
  Cast: [{ inputs: [floats(2, 4, 3)], attributes: { to: int(7) } }],
  CastLike: [{ inputs: [floats(2, 4, 3), drawn("int32", 1)] }],
  QuantizeLinear: [
    {
      inputs: [
        floats(2, 4, 3),
        fixed(4),
        { type: "uint8", dims: [4], data: Uint8Array.of(1, 2, 3, 4), constant: true },
      ],
      attributes: axis(1),
    },
    {
      inputs: [
        floats(2, 4, 3),
        { type: "float32", dims: [], data: Float32Array.of(0.1), constant: true },
      ],
    },
  ],
  DequantizeLinear: [{ inputs: [drawn("int32", 2, 4, 3), fixed(4)], attributes: axis(1) }],
  Conv: [
    { inputs: [x(), fixed(6, 4, 2, 2), fixed(6)] },
    { inputs: [x(), fixed(6, 2, 2, 2)], attributes: { group: int(2) } },
    { inputs: [x(), fixed(8, 1, 2, 2), fixed(8)], attributes: { group: int(4) } },
    { inputs: [floats(1, 8, 3, 3), fixed(12, 2, 1, 1)], attributes: { group: int(4) } },
  ],
  ConvTranspose: [
    { inputs: [x(), fixed(4, 6, 2, 2), fixed(6)] },
    { inputs: [x(), fixed(4, 3, 2, 2), fixed(6)], attributes: { group: int(2) } },
    { inputs: [x(), fixed(4, 2, 2, 2), fixed(8)], attributes: { group: int(4) } },
  ],
  MatMul: [
    { inputs: [floats(2, 4, 3), fixed(3, 5)] },
    { inputs: [floats(2, 3, 4, 5), floats(2, 3, 5, 6)] },
    { inputs: [floats(3, 4, 5), floats(2, 3, 5, 6)] },
    { inputs: [floats(1, 4, 5), floats(3, 5, 6)] },
    { inputs: [floats(5), floats(5, 6)] },
    { inputs: [floats(4, 5), floats(5)] },
    { inputs: [floats(5), floats(5)] },
  ],
  Einsum: [
    { inputs: [floats(2, 4, 3), fixed(3, 5)], attributes: equation("bij,jk->bik") },
    { inputs: [floats(2, 3, 2, 4), floats(2, 5, 2, 4)], attributes: equation("bihd,bjhd->bhij") },
    { inputs: [floats(2, 3, 4)], attributes: equation("bij->jb") },
    { inputs: [floats(2, 3), floats(3, 4), floats(2)], attributes: equation("ij, jk, l -> ki") },
    { inputs: [floats(1, 3), floats(4, 3)], attributes: equation("ij,ij->ij") },
    { inputs: [floats(4, 3), floats(4, 1)], attributes: equation("ij,ij->i") },
  ],
  Gemm: [
    { inputs: [floats(2, 3), fixed(3, 5), fixed(5)] },
    {
      inputs: [floats(3, 2), fixed(5, 3), fixed(2, 1)],
      attributes: { transA: int(1), transB: int(1) },
    },
    {
      inputs: [floats(2, 3), fixed(3, 5), fixed(2, 5)],
      attributes: { alpha: attribute.float(0.5) },
    },
  ],
  BatchNormalization: [{ inputs: [x(), fixed(4), fixed(4), fixed(4), fixed(4)] }],
  InstanceNormalization: [{ inputs: [x(), fixed(4), fixed(4)] }],
  GroupNormalization: [
    { inputs: [floats(2, 6, 4), fixed(6), fixed(6)], attributes: { num_groups: int(3) } },
  ],
  LayerNormalization: [
    { inputs: [floats(2, 4, 3), fixed(3), fixed(3)] },
    { inputs: [floats(2, 4, 3), fixed(4, 3)], attributes: axis(1) },
  ],
  LpNormalization: oneAxis,
  LRN: [{ inputs: [x()], attributes: { size: int(3) } }],
  Softmax: oneAxis,
  LogSoftmax: oneAxis,
  Hardmax: oneAxis,
  MaxPool: [{ inputs: [x()], attributes: window }],
  AveragePool: [{ inputs: [x()], attributes: window }],
  LpPool: [{ inputs: [x()], attributes: window }],
  GlobalAveragePool: [{ inputs: [x()] }],
  GlobalMaxPool: [{ inputs: [x()] }],
  ReduceSum: reductions,
  ReduceSumSquare: reductions,
  ReduceL1: reductions,
  ReduceL2: reductions,
  ReduceMean: reductions,
  ReduceProd: reductions,
  ReduceMax: reductions,
  ReduceMin: reductions,
  ReduceLogSum: reductions,
  ReduceLogSumExp: reductions,
  Pad: [
    { inputs: [x(), ints(0, 1, 2, 0, 0, 2, 0, 1), fixed()] },
    { inputs: [x(), ints(1, 2), null, ints(-3)] },
    { inputs: [x(), ints(0, 1, 0, 0, 0, 0, 1, 0)], attributes: { mode: string("reflect") } },
  ],
  Resize: [
    {
      inputs: [
        x(),
        null,
        { type: "float32", dims: [4], data: Float32Array.of(1, 1, 2, 2), constant: true },
      ],
    },
    { inputs: [x(), null, null, ints(2, 4, 6, 5)] },
    { inputs: [x(), null, null, ints(6, 5)], attributes: { axes: attribute.ints([2, 3]) } },
    { inputs: [floats(1, 2, 2, 3), null, null, ints(1, 4, 4, 3)] },
  ],
  GridSample: [
    { inputs: [x(), floats(2, 3, 2, 2)] },
    { inputs: [x(), floats(2, 3, 2, 2)], attributes: { mode: string("nearest") } },
  ],
  DepthToSpace: [
    { inputs: [floats(1, 8, 2, 3)], attributes: { blocksize: int(2) } },
    { inputs: [floats(1, 8, 2, 3)], attributes: { blocksize: int(2), mode: string("CRD") } },
  ],
  SpaceToDepth: [{ inputs: [floats(1, 3, 4, 2)], attributes: { blocksize: int(2) } }],
  Identity: [{ inputs: [x()] }],
  Reshape: [
    { inputs: [floats(2, 4, 3), ints(0, -1)] },
    { inputs: [floats(2, 12), ints(2, 3, 4)] },
    { inputs: [floats(2, 3, 4), ints(6, 4)] },
    { inputs: [floats(4, 6), ints(2, 2, 3, 2)] },
    { inputs: [floats(1, 4, 1, 1), ints(-1, 4)] },
    { inputs: [floats(2, 6), ints(3, 4)] },
    { inputs: [floats(4, 2, 3), ints(2, 0, -1)] },
  ],
  Flatten: [{ inputs: [x()] }, { inputs: [x()], attributes: axis(2) }],
  Squeeze: [{ inputs: [floats(2, 1, 4, 1), ints(1, 3)] }, { inputs: [floats(1, 2, 1)] }],
  Unsqueeze: [{ inputs: [floats(2, 4), ints(0, 3)] }],
  Expand: [{ inputs: [floats(2, 4, 1), ints(3, 2, 4, 5)] }, { inputs: [floats(5, 4, 1), ints(5)] }],
  Transpose: [
    { inputs: [x()], attributes: { perm: attribute.ints([2, 1, 0, 3]) } },
    { inputs: [x()] },
  ],
  Tile: [
    { inputs: [floats(2, 4, 3), ints(1, 1, 2)] },
    { inputs: [floats(1, 4, 3, 1), ints(1, 2, 1, 8)] },
  ],
  Concat: [{ inputs: [floats(2, 4, 3), floats(2, 1, 3), floats(2, 2, 3)], attributes: axis(1) }],
  Split: [
    { inputs: [floats(2, 6, 3), ints(1, 2, 3)], attributes: axis(1), outputs: 3 },
    { inputs: [floats(2, 6, 3)], attributes: { axis: int(-2), num_outputs: int(2) }, outputs: 2 },
  ],
  Slice: [
    { inputs: [x(), ints(1), ints(-1), ints(1)] },
    { inputs: [x(), ints(0, 2), ints(2, 100), ints(-3, 3), ints(1, 1)] },
    { inputs: [x(), ints(0), ints(4), ints(1), ints(2)] },
  ],
  Gather: [
    { inputs: [floats(2, 4, 3), ints(3, 0, -2)], attributes: axis(1) },
    {
      inputs: [
        floats(2, 4, 3),
        { type: "int64", dims: [], data: BigInt64Array.of(2n), constant: true },
      ],
      attributes: axis(1),
    },
    {
      inputs: [
        fixed(5, 4),
        { type: "int64", dims: [2, 3], data: BigInt64Array.of(0n, 1n, 4n, 2n, 2n, 3n) },
      ],
    },
  ],
  GatherElements: [{ inputs: [floats(4, 3), positions([3, 3], 4)] }],
  GatherND: [{ inputs: [floats(4, 3, 2), positions([5, 1], 4)] }],
  ScatterElements: [
    {
      inputs: [floats(4, 3), positions([5, 3], 4), floats(5, 3)],
      attributes: { reduction: string("add") },
    },
  ],
  Scatter: [{ inputs: [floats(3, 4), positions([3, 1], 4), floats(3, 1)], attributes: axis(1) }],
  ScatterND: [
    {
      inputs: [floats(4, 3, 2), positions([5, 1], 4), floats(5, 3, 2)],
      attributes: { reduction: string("add") },
    },
    { inputs: [floats(4, 3, 2), positions([2, 2], 3), floats(2, 2)] },
  ],
  Dropout: [{ inputs: [x()] }],
  LSTM: cell(4, [fixed(2, 2, 3), fixed(2, 2, 3), fixed(2, 9)]),
  GRU: cell(3),
  RNN: cell(1),
};

const key = ({ side, index }: Port, at: number): string => `${side} ${index} ${at}`;

function graphOf(
  op: string,
  { inputs, attributes = {}, outputs = 1 }: Case,
): { graph: Graph; node: Node } {
  const [name = op, domain = ""] = op.split("::").reverse();
  const graph = new Graph(newHeader(), inferNode);
  const node = edit(
    graph,
    "build",
    (editor) => {
      const ids = inputs.map((one, index) => {
        if (one === null) return null;
        return one.constant === true
          ? editor.constant(`c${index}`, Tensor.of(one.type, one.dims, one.data))
          : editor.addInput(`x${index}`, tensorType(one.type, one.dims));
      });
      return editor.addNode(name, ids, attributes, { domain, outputs });
    },
    { interface: true },
  );
  return { graph, node };
}

function evaluated(op: string, one: Case): readonly Dense[] {
  const { graph, node } = graphOf(op, one);
  const found = evaluateNode(
    graph,
    node,
    one.inputs.map((given) => given ?? null),
  );
  if (found === undefined) throw new Error(`${op} was not evaluated`);
  return found.slice(0, one.outputs ?? 1).map((dense) => {
    if (dense === null || dense === undefined) throw new Error(`${op} gives too little`);
    return dense;
  });
}

function onAxis<D extends Dense>(dense: D, at: number, places: readonly number[]): D {
  const strides = stridesOf(dense.dims);
  const parts = dense.dims.map((size, axis) =>
    axis === at
      ? places.map((place) => place * (strides[axis] ?? 1))
      : steps(size, strides[axis] ?? 1),
  );
  return {
    ...dense,
    ...take(
      dense,
      sourceIndices(parts),
      parts.map(({ length }) => length),
    ),
  };
}

function zeroed(dense: Dense, at: number, isZero: (place: number) => boolean): Dense {
  const inner = elementCount(dense.dims.slice(at + 1));
  const data = (dense.data as Float32Array).map((value, index) =>
    isZero(Math.floor(index / inner) % (dense.dims[at] ?? 1)) ? 0 : value,
  );
  return { ...dense, data };
}

/** Two that are no numbers are alike. */
function distance(a: unknown, b: unknown): number {
  return Object.is(Number(a), Number(b)) ? 0 : Math.abs(Number(a) - Number(b));
}

/** What must stay: all but a channel's places, by port and axis. */
function keptWithout(
  { ties }: Coupling,
  gone: number,
  sizeOf: (port: Port, at: number) => number,
): Map<string, readonly number[]> {
  return new Map(
    ties.map(({ port, axis: at, channelOf }) => [
      key(port, at),
      [...Array(sizeOf(port, at)).keys()].filter((place) => channelOf(place) !== gone),
    ]),
  );
}

/** Cuts a channel out of a node, and evaluates what is left. */
function withoutChannel(
  op: string,
  one: Case,
  kept: ReadonlyMap<string, readonly number[]>,
): readonly Dense[] {
  const { graph, node } = graphOf(op, one);
  const places: Kept = { places: (port, at) => kept.get(key(port, at)) };
  let inputs: readonly Given[] = one.inputs.map((given, index) => {
    if (given === null) return null;
    return given.dims.reduce<Given & Dense>((dense, _, at) => {
      const staying = kept.get(key(input(index), at));
      return staying === undefined ? dense : onAxis(dense, at, staying);
    }, given);
  });
  const attributes = { ...one.attributes };
  for (const fit of channels.get(op)?.fit?.(channelNode(graph, node), places) ?? []) {
    if ("input" in fit) {
      inputs = Array.from({ length: Math.max(inputs.length, fit.input + 1) }, (_, index) => {
        const before = inputs[index] ?? null;
        if (index !== fit.input) return before;
        const now = ints(...fit.integers);
        return now !== null && before?.dims.length === 0 ? { ...now, dims: [] } : now;
      });
    } else if (fit.value === undefined) delete attributes[fit.attribute];
    else attributes[fit.attribute] = fit.value;
  }
  return evaluated(op, { ...one, inputs, attributes });
}

/** The channels of a coupling; those of places that must stay are none. */
function channelsOf(
  { ties }: Coupling,
  sizeOf: (port: Port, at: number) => number,
): readonly number[] {
  const all = ties.flatMap(({ port, axis: at, channelOf }) =>
    [...Array(sizeOf(port, at)).keys()].map(channelOf),
  );
  return [...new Set(all)].filter((channel) => channel >= 0);
}

describe.each(Object.entries(cases))("%s", (op, all) => {
  test("gives what it gave without a channel that is cut", () => {
    let checked = 0;
    for (const one of all) {
      const { graph, node } = graphOf(op, one);
      const view = channelNode(graph, node);
      const sizeOf = (port: Port, at: number): number => Number(view.shape(port)?.[at]);
      for (const coupling of channels.get(op)?.couplings(view) ?? []) {
        for (const gone of channelsOf(coupling, sizeOf)) {
          const kept = keptWithout(coupling, gone, sizeOf);
          if ([...kept.values()].some((places) => places.length === 0)) continue;
          const silent = one.inputs.map((given, index): Given => {
            const tie = coupling.ties.find(
              ({ port, sums }) => sums && port.side === "input" && port.index === index,
            );
            if (given === null || tie === undefined) return given;
            return {
              ...given,
              ...zeroed(given, tie.axis, (place) => tie.channelOf(place) === gone),
            };
          });
          const expected = evaluated(op, { ...one, inputs: silent }).map((dense, index) =>
            dense.dims.reduce<Dense>((left, _, at) => {
              const staying = kept.get(key(output(index), at));
              return staying === undefined ? left : onAxis(left, at, staying);
            }, dense),
          );
          const found = withoutChannel(op, one, kept);
          expect(found.map(({ dims }) => dims)).toEqual(expected.map(({ dims }) => dims));
          for (const [index, { data }] of expected.entries())
            for (const [at, value] of data.entries())
              expect(distance(found[index]?.data[at], value)).toBeLessThan(1e-4);
          checked += 1;
        }
      }
    }
    expect(checked).toBeGreaterThan(0);
  });
});

test("there is a case for every operator through which channels pass and that can be evaluated", () => {
  const known = [...channels.keys()].filter(
    (op) => operators.get(op)?.reference !== undefined || op === "Dropout",
  );
  expect(Object.keys(cases).sort()).toEqual(known.sort());
  expect([...channels.keys()].filter((op) => !known.includes(op))).toEqual([]);
});

/** The couplings of a node as text: each tie its port, its axis and the channels of its places. */
function said(op: string, one: Case): readonly string[] {
  const { graph, node } = graphOf(op, one);
  const view = channelNode(graph, node);
  return (channels.get(op)?.couplings(view) ?? []).map(({ ties, choice, stacks }) => {
    const parts = ties.map(({ port, axis: at, channelOf, sums }) => {
      const places = [...Array(Number(view.shape(port)?.[at])).keys()].map(channelOf).join("");
      return `${port.side}${port.index}.${at}${sums ? "+" : ""}:${places}`;
    });
    return `${parts.join(" ")}${choice === undefined ? "" : ` or${choice}`}${stacks === true ? " stacks" : ""}`;
  });
}

describe("couplings", () => {
  test("of a convolution in groups are of the groups, or of the place in each of them, whichever are more", () => {
    expect(
      said("Conv", {
        inputs: [floats(1, 4, 2, 2), fixed(8, 1, 1, 1)],
        attributes: { group: int(4) },
      }),
    ).toEqual(["input0.0:0 output0.0:0", "output0.1:00112233 input1.0:00112233 input0.1:0123"]);
    expect(
      said("Conv", {
        inputs: [floats(1, 6, 2, 2), fixed(4, 3, 1, 1)],
        attributes: { group: int(2) },
      }),
    ).toEqual([
      "input0.0:0 output0.0:0",
      "output0.1:0101 input1.0:0101",
      "input0.1+:012012 input1.1:012",
    ]);
  });

  test("of a reshape exclude each other where an axis is taken apart", () => {
    expect(said("Reshape", { inputs: [floats(2, 6), ints(2, 3, 2)] })).toEqual([
      "input0.0:01 output0.0:01 or0",
      "input0.1:010101 output0.2:01 or1",
      "input0.1:001122 output0.1:012 or1",
    ]);
  });

  test("of a product of activations are stacks, one of whose matrices is multiplied by itself", () => {
    const made = said("MatMul", { inputs: [floats(2, 3, 1, 2), floats(2, 3, 2, 1)] });
    expect(made.filter((text) => text.endsWith("stacks"))).toEqual([
      "output0.0:01 input0.0:01 input1.0:01 stacks",
      "output0.1:012 input0.1:012 input1.1:012 stacks",
    ]);
    expect(said("MatMul", { inputs: [floats(2, 3, 2), fixed(2, 2, 1)] }).join()).not.toContain(
      "stacks",
    );
  });

  test("of what is tiled or resized are of the axes that stay, whichever come before", () => {
    expect(said("Tile", { inputs: [floats(2, 4), ints(3, 1)] })).toEqual([
      "output0.1:0123 input0.1:0123",
    ]);
    expect(said("Resize", { inputs: [floats(1, 2, 2, 3), null, null, ints(1, 4, 4, 3)] })).toEqual([
      "output0.0:0 input0.0:0",
      "output0.3:012 input0.3:012",
    ]);
    expect(said("Tile", { inputs: [floats(1, 4, 3, 1), ints(1, 2, 1, 8)] })).toEqual([
      "output0.0:0 input0.0:0",
      "output0.2:012 input0.2:012",
    ]);
  });

  test("of an Einsum are its letters", () => {
    const attributes = equation("bik, bkj -> bij");
    expect(said("Einsum", { inputs: [floats(2, 1, 3), floats(2, 3, 2)], attributes })).toEqual([
      "input0.0:01 input1.0:01 output0.0:01",
      "input0.1:0 output0.1:0",
      "input0.2+:012 input1.1:012",
      "input1.2:01 output0.2:01",
    ]);
  });

  test("leave out what is mixed, computed or not known", () => {
    const outputs = (op: string, one: Case) => said(op, one).map((text) => text.split(" ")[1]);
    expect(outputs("Softmax", { inputs: [floats(2, 3)], attributes: axis(1) })).toEqual([
      "input0.0:01",
    ]);
    expect(
      said("Reshape", {
        inputs: [floats(2, 3), { ...floats(2), type: "int64", data: BigInt64Array.of(3n, 2n) }],
      }),
    ).toEqual([]);
    expect(said("MaxPool", { inputs: [x()], attributes: window, outputs: 2 })).toEqual([]);
    expect(
      said("LSTM", {
        ...cell(4)[0],
        inputs: cell(4)[0]?.inputs ?? [],
        attributes: { layout: int(1), hidden_size: int(3) },
      }),
    ).toEqual([]);
  });
});
