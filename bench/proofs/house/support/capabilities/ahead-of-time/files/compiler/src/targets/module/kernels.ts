import { type AttributeReader, attributeReader } from "../../ops/index.js";
import type { Node } from "../../ir/index.js";
import {
  add,
  below,
  both,
  type Code,
  fadd,
  firstFloat,
  float,
  fmax,
  fmultiply,
  get,
  index,
  int,
  load,
  loop,
  multiply,
  set,
  store,
  when,
} from "./code.js";

/** Where a tensor lies in memory. */
export interface Place {
  readonly at: number;
  readonly dims: readonly number[];
}

interface Call {
  readonly inputs: readonly (Place | null)[];
  readonly output: Place;
  readonly attributes: AttributeReader;
}

/** Code that computes a node's output; null for what only gives its input other dims. */
type Kernel = ((call: Call) => Code) | null;

const sum = firstFloat;

function input({ inputs }: Call, position: number): Place {
  const place = inputs[position];
  if (place === null || place === undefined) throw new RangeError("An input is missing.");
  return place;
}

/** Which element of the input a tap of the kernel reads, along one axis. */
function tap(at: number, stride: number, offset: number, pad: number): Code {
  return add(add(multiply(get(at), int(stride)), get(offset)), int(-pad));
}

/** y[m, o, i, j] = bias[o] + Σ w[o, c, u, v] x[m, c, i·s + u − p, j·s + v − p]; outside x is 0. */
function convolution(call: Call): Code {
  const [x, w, bias] = [input(call, 0), input(call, 1), call.inputs[2] ?? null];
  const [batch = 1, channels = 1, height = 1, width = 1] = x.dims;
  const [outputs = 1, , kernelHeight = 1, kernelWidth = 1] = w.dims;
  const [, , rows = 1, columns = 1] = call.output.dims;
  const [sy = 1, sx = 1] = call.attributes.ints("strides") ?? [];
  const [py = 0, px = 0] = call.attributes.ints("pads") ?? [];
  const [m, o, i, j, c, u, v, y0, x0] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
  const term = fmultiply(
    load(
      x.at,
      index([
        [get(m), batch],
        [get(c), channels],
        [get(y0), height],
        [get(x0), width],
      ]),
    ),
    load(
      w.at,
      index([
        [get(o), outputs],
        [get(c), channels],
        [get(u), kernelHeight],
        [get(v), kernelWidth],
      ]),
    ),
  );
  const inside = both(below(get(y0), int(height)), below(get(x0), int(width)));
  const taps = loop(
    c,
    channels,
    loop(u, kernelHeight, [
      ...set(y0, tap(i, sy, u, py)),
      ...loop(v, kernelWidth, [
        ...set(x0, tap(j, sx, v, px)),
        ...when(inside, set(sum, fadd(get(sum), term))),
      ]),
    ]),
  );
  const target = index([
    [get(m), batch],
    [get(o), outputs],
    [get(i), rows],
    [get(j), columns],
  ]);
  const one: Code = [
    ...set(sum, bias === null ? float(0) : load(bias.at, get(o))),
    ...taps,
    ...store(call.output.at, target, get(sum)),
  ];
  return loop(m, batch, loop(o, outputs, loop(i, rows, loop(j, columns, one))));
}

function maxPool(call: Call): Code {
  const x = input(call, 0);
  const [batch = 1, channels = 1, height = 1, width = 1] = x.dims;
  const [, , rows = 1, columns = 1] = call.output.dims;
  const [kernelHeight = 1, kernelWidth = 1] = call.attributes.ints("kernel_shape") ?? [];
  const [sy = 1, sx = 1] = call.attributes.ints("strides") ?? [];
  const planes = batch * channels;
  const [m, i, j, u, v] = [0, 1, 2, 3, 4] as const;
  const [row, column] = [tap(i, sy, u, 0), tap(j, sx, v, 0)];
  const element = load(
    x.at,
    index([
      [get(m), planes],
      [row, height],
      [column, width],
    ]),
  );
  const target = index([
    [get(m), planes],
    [get(i), rows],
    [get(j), columns],
  ]);
  const one: Code = [
    ...set(sum, float(-Infinity)),
    ...loop(u, kernelHeight, loop(v, kernelWidth, set(sum, fmax(get(sum), element)))),
    ...store(call.output.at, target, get(sum)),
  ];
  return loop(m, planes, loop(i, rows, loop(j, columns, one)));
}

function relu(call: Call): Code {
  const count = call.output.dims.reduce((product, size) => product * size, 1);
  const value = fmax(load(input(call, 0).at, get(0)), float(0));
  return loop(0, count, store(call.output.at, get(0), value));
}

/** y = a b + c with b as it is or turned around. */
function gemm(call: Call): Code {
  const [a, b, c] = [input(call, 0), input(call, 1), call.inputs[2] ?? null];
  const [rows = 1, inner = 1] = a.dims;
  const columns = call.output.dims[1] ?? 1;
  const turned = call.attributes.int("transB", 0) === 1;
  const [i, j, k] = [0, 1, 2] as const;
  const right: Code = turned
    ? index([
        [get(j), columns],
        [get(k), inner],
      ])
    : index([
        [get(k), inner],
        [get(j), columns],
      ]);
  const term = fmultiply(
    load(
      a.at,
      index([
        [get(i), rows],
        [get(k), inner],
      ]),
    ),
    load(b.at, right),
  );
  const one: Code = [
    ...set(sum, c === null ? float(0) : load(c.at, get(j))),
    ...loop(k, inner, set(sum, fadd(get(sum), term))),
    ...store(
      call.output.at,
      index([
        [get(i), rows],
        [get(j), columns],
      ]),
      get(sum),
    ),
  ];
  return loop(i, rows, loop(j, columns, one));
}

const kernels: Readonly<Record<string, Kernel>> = {
  Conv: convolution,
  MaxPool: maxPool,
  Relu: relu,
  Gemm: gemm,
  Flatten: null,
  Identity: null,
};

/** Undefined where there is none. */
export function kernelFor(op: string, domain: string): Kernel | undefined {
  return domain === "" && Object.hasOwn(kernels, op) ? kernels[op] : undefined;
}

/** Why this node asks for more than its kernel can; null where it does not. */
export function obstacle(node: Node): string | null {
  const attributes = attributeReader(node.attributes);
  if (attributes.int("group", 1) !== 1) return "groups";
  if ((attributes.ints("dilations") ?? []).some((size) => size !== 1)) return "dilations";
  if (attributes.string("auto_pad", "NOTSET") !== "NOTSET") return "auto_pad";
  const pads = attributes.ints("pads") ?? [];
  if (node.op === "MaxPool" && pads.some((size) => size !== 0)) return "pads";
  if (node.op === "Gemm" && attributes.int("transA", 0) === 1) return "transA";
  return null;
}
