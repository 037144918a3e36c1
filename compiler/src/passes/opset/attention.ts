import { attribute, codeOfDtype, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "./adapter.js";
import { byHead, together } from "./heads.js";
import { leastOf } from "./least.js";

/** Numbers that a graph must fix, and heads that queries share where there are fewer of keys. */
interface Heads {
  readonly queries: number;
  readonly keys: number;
  /** Of a query and a key. */
  readonly width: number;
  /** Of a value. */
  readonly valueWidth: number | undefined;
}

/**
 * softmax(c · tanh(s · Q Kᵀ / c) + bias) V, as the function that ONNX gives for opsets 23 to 25 has it: 0 for a query that
 * may see no key. https://onnx.ai/onnx/operators/onnx__Attention.html
 */
export function attention(step: Step): void {
  const { attributes } = step;
  const rank = step.rank(0);
  if (rank !== 3 && rank !== 4) step.refuse("the rank of its input is not known");
  const heads = headsOf(step, rank);
  const split = (x: ValueId, count: number, width: number | undefined): ValueId =>
    rank === 4 ? x : byHead(step, x, count, width);
  const present = [
    behind(step, 4, split(operand(step, 1), heads.keys, heads.width)),
    behind(step, 5, split(operand(step, 2), heads.keys, heads.valueWidth)),
  ];
  const [keys, values] = present.map((each) => repeated(step, each, heads));
  const queries = split(operand(step, 0), heads.queries, heads.width);

  const given = attributes.float("scale", 0);
  const scale = step.float("scale", [given === 0 ? 1 / Math.sqrt(heads.width) : given], []);
  const products = step.add("MatMul", [
    step.add("Mul", [queries, scale]),
    step.add("Transpose", [keys ?? queries], { perm: attribute.ints([0, 1, 3, 2]) }),
  ]);
  const capped = softcapped(step, products);
  const bias = biasOf(step, queries, keys ?? queries);
  // Of −∞ alone softmax makes no numbers, which ranges that are looked for afterwards would not survive.
  const least = step.float("least", [leastOf(step.dtype(0))], []);
  const scores =
    bias === undefined ? capped : step.add("Add", [capped, step.add("Max", [bias, least])]);
  const shares = sharesOf(step, scores);
  const seeing = seeingOf(step, bias);
  const result = seeing(step.add("MatMul", [shares, values ?? queries]));

  const mode = attributes.int("qk_matmul_output_mode", 0);
  const all = heads.valueWidth === undefined ? undefined : heads.queries * heads.valueWidth;
  const outputs = [
    rank === 4 ? result : together(step, result, all),
    ...present,
    [products, capped, scores, seeing(shares)][mode] ?? products,
  ];
  step.replaceBy(...outputs);
}

function headsOf(step: Step, rank: 3 | 4): Heads {
  const counted = (index: number, name: string): number => {
    const size = rank === 4 ? step.shape(index)?.[1] : step.attributes.int(name, 0);
    if (typeof size === "number" && size > 0) return size;
    return step.refuse("how many heads it has is not known");
  };
  const [queries, keys] = [counted(0, "q_num_heads"), counted(1, "kv_num_heads")];
  if (queries % keys !== 0) step.refuse(`${queries} heads do not share ${keys}`);
  for (const [index, heads] of rank === 3 ? [queries, keys, keys].entries() : []) {
    const size = step.shape(index)?.[2];
    if (typeof size === "number" && size % heads !== 0)
      step.refuse(`${heads} heads do not share ${size} channels`);
  }
  const last = step.shape(0)?.[rank - 1];
  if (typeof last !== "number") return step.refuse("the width of its heads is not known");
  const ofValues = step.shape(2)?.[rank - 1];
  const shared = rank === 4 ? 1 : keys;
  return {
    queries,
    keys,
    width: rank === 4 ? last : last / queries,
    valueWidth: typeof ofValues === "number" ? ofValues / shared : undefined,
  };
}

/** Keys or values behind those of earlier runs. */
function behind(step: Step, pastIndex: number, now: ValueId): ValueId {
  const past = step.input(pastIndex);
  return past === undefined ? now : step.add("Concat", [past, now], { axis: attribute.int(2) });
}

/** Each head as often as queries share it. */
function repeated(step: Step, x: ValueId, { queries, keys }: Heads): ValueId {
  if (queries === keys) return x;
  const heads = Array.from({ length: queries }, (_, head) => Math.floor((head * keys) / queries));
  return step.add("Gather", [x, step.int64("heads", heads)], { axis: attribute.int(1) });
}

function softcapped(step: Step, x: ValueId): ValueId {
  const cap = step.attributes.float("softcap", 0);
  if (cap === 0) return x;
  const most = step.float("softcap", [cap], []);
  return step.add("Mul", [step.add("Tanh", [step.add("Div", [x, most])]), most]);
}

/** What is added to the products: 0, or −∞ where a query may not look. */
function biasOf(step: Step, queries: ValueId, keys: ValueId): ValueId | undefined {
  const [zero, never] = [step.float("zero", [0], []), step.float("never", [-Infinity], [])];
  const mask = maskOf(step, keys, zero, never);
  const hidden = hiddenOf(step, queries, keys);
  if (hidden === undefined) return mask;
  const bias = step.add("Where", [hidden, never, zero]);
  return mask === undefined ? bias : step.add("Add", [mask, bias]);
}

/** By query and key: the key lies too far behind, or before, the query's place, or is padding. */
function hiddenOf(step: Step, queries: ValueId, keys: ValueId): ValueId | undefined {
  const { attributes } = step;
  const number = (value: number): ValueId => step.int64("n", [value], []);
  const lengthOf = (x: ValueId): ValueId =>
    step.add("Gather", [step.add("Shape", [x]), number(2)], { axis: attribute.int(0) });
  const unsqueezed = (x: ValueId, ...axes: readonly number[]): ValueId =>
    step.add("Unsqueeze", [x, step.int64("axes", axes)]);
  const range = (x: ValueId, axis: number): ValueId =>
    unsqueezed(step.add("Range", [number(0), lengthOf(x), number(1)]), axis);
  const moved = (x: ValueId, by: number): ValueId =>
    by === 0 ? x : step.add("Add", [x, number(by)]);

  const most = attributes.int("is_causal", 0) === 1 ? 0 : attributes.int("right_window_size", -1);
  const [least, past, filled] = [
    attributes.int("left_window_size", -1),
    step.input(4),
    step.input(6),
  ];
  if (most < 0 && least < 0 && filled === undefined) return undefined;
  const columns = range(keys, 0);
  const rows = (): ValueId => {
    const own = range(queries, 1);
    if (past !== undefined) return step.add("Add", [own, lengthOf(past)]);
    if (filled === undefined) return own;
    const offsets = step.add("Sub", [filled, lengthOf(queries)]);
    return step.add("Add", [own, unsqueezed(offsets, 1, 2, 3)]);
  };
  const places = most < 0 && least < 0 ? columns : rows();
  return [
    ...(most < 0 ? [] : [step.add("Less", [moved(places, most), columns])]),
    ...(least < 0 ? [] : [step.add("Less", [columns, moved(places, -least)])]),
    ...(filled === undefined
      ? []
      : [step.add("GreaterOrEqual", [columns, unsqueezed(filled, 1, 2, 3)])]),
  ].reduce((one, other) => step.add("Or", [one, other]));
}

/** From opset 24 on a mask may be shorter than the keys: those behind it are masked. */
function maskOf(step: Step, keys: ValueId, zero: ValueId, never: ValueId): ValueId | undefined {
  const mask = step.input(3);
  if (mask === undefined) return undefined;
  const [type, own] = [step.dtype(3), step.dtype(0)];
  const isOther = type !== own && own !== undefined;
  const added = (): ValueId =>
    isOther ? step.add("Cast", [mask], { to: attribute.int(codeOfDtype(own)) }) : mask;
  const bias = type === "bool" ? step.add("Where", [mask, zero, never]) : added();
  const known = step.graph.value(keys).type;
  const length = known.kind === "tensor" ? known.shape?.[2] : undefined;
  const masked = step.shape(3)?.at(-1);
  if (typeof masked === "number" && typeof length === "number" && masked > length && length > 1)
    return step.refuse(`its mask is about ${masked} keys, and there are ${length}`);
  const mayBeShort = (step.graph.opset("") ?? 0) >= 24;
  if (!mayBeShort || typeof masked !== "number" || typeof length !== "number") return bias;
  if (masked >= length) return bias;
  return step.add("Pad", [
    bias,
    step.int64("pads", [0, length - masked]),
    never,
    step.int64("axes", [-1]),
  ]);
}

/** float32, float16, float64, bfloat16 */
const precisions: readonly number[] = [1, 10, 11, 16];

function sharesOf(step: Step, scores: ValueId): ValueId {
  const softmax = (x: ValueId): ValueId => step.add("Softmax", [x], { axis: attribute.int(-1) });
  const cast = (x: ValueId, to: number): ValueId =>
    step.add("Cast", [x], { to: attribute.int(to) });
  const own = codeOfDtype(step.dtype(0) ?? step.refuse("the type of its input is not known"));
  const precision = step.attributes.int("softmax_precision", own);
  if (!precisions.includes(precision)) step.refuse(`its softmax_precision is ${precision}`);
  return precision === own ? softmax(scores) : cast(softmax(cast(scores, precision)), own);
}

/** Where every key may be hidden from a query, what it would get is 0. */
function seeingOf(step: Step, bias: ValueId | undefined): (x: ValueId) => ValueId {
  const isWindow = step.attributes.int("left_window_size", -1) >= 0;
  const mayBeBlind = isWindow || step.input(3) !== undefined || step.input(6) !== undefined;
  if (bias === undefined || !mayBeBlind) return (x) => x;
  const most = step.add("ReduceMax", [bias, step.int64("axes", [-1])]);
  const isBlind = step.add("Equal", [most, step.float("never", [-Infinity], [])]);
  const zero = step.float("zero", [0], []);
  return (x) => step.add("Where", [isBlind, zero, x]);
}
