import { attribute, type Dim, dim, type ValueId } from "../../ir/index.js";
import { operand, type Step } from "../opset/adapter.js";
import { byHead, together } from "../opset/heads.js";
import { maskOf } from "./masks.js";

/**
 * Queries, keys and values, each [batch, heads, length, width], how many they are, how wide a query is and how wide all heads
 * of a value are.
 */
interface Operands {
  readonly queries: ValueId;
  readonly keys: ValueId;
  readonly values: ValueId;
  readonly asked: Dim | undefined;
  readonly looked: Dim | undefined;
  readonly width: number | undefined;
  readonly all: number | undefined;
}

/** At which input a node has what is not the same in all of its kind. */
interface Places {
  readonly mask: number;
  /** What is added to scores; undefined where it takes nothing of the kind. */
  readonly added: number | undefined;
}

/** Attention of a layer's own projections, which lie side by side in one matrix. */
function attention(step: Step): void {
  if (step.input(6) !== undefined) step.refuse("it writes to keys that it is given");
  const product = step.add("MatMul", [operand(step, 0), operand(step, 1)]);
  const bias = step.input(2);
  const all = bias === undefined ? product : step.add("Add", [product, bias]);
  attentionOf(step, all, { mask: 3, added: 5, past: 4 });
}

/**
 * @param all queries, keys and values, side by side: [batch, length, all widths], from what input 0 holds and input 1
 * projects
 */
export function attentionOf(
  step: Step,
  all: ValueId,
  places: Places & { readonly past: number },
): void {
  const { attributes } = step;
  if (attributes.int("do_rotary", 0) !== 0) step.refuse("it turns its queries and keys itself");
  const columns = step.shape(1)?.[1];
  const third = typeof columns === "number" ? columns / 3 : Number.NaN;
  const widths = attributes.ints("qkv_hidden_sizes") ?? [third, third, third];
  const sum = widths.reduce((total, width) => total + width, 0);
  if (
    widths.length !== 3 ||
    sum !== columns ||
    !widths.every((width) => Number.isInteger(width) && width > 0)
  )
    return step.refuse("the sizes of its projections are not known");
  const heads = headsOf(step);
  const [queries = all, keys = all, values = all] = step
    .split(all, widths, 2)
    .map((part, at) => byHead(step, part, heads, widthOf(widths[at], heads)));
  const length = step.shape(0)?.[1];
  const own = { queries, keys, values, asked: length, looked: length };
  const now = { ...own, width: widthOf(widths[0], heads), all: widths[2] };
  const past = step.input(places.past);
  if (past === undefined) return step.replaceBy(attended(step, now, places));
  const [pastKeys, pastValues] = step
    .split(past, [1, 1], 0)
    .map((part) => step.add("Squeeze", [part, step.int64("axes", [0])]));
  const joined = behind(step, now, [pastKeys, pastValues], step.shape(places.past)?.[3]);
  const kept = [joined.keys, joined.values].map((each) =>
    step.add("Unsqueeze", [each, step.int64("axes", [0])]),
  );
  const present = step.add("Concat", kept, { axis: attribute.int(0) });
  step.replaceBy(attended(step, joined, places), present);
}

/** Attention of queries, keys and values that were projected before, their biases side by side. */
function multiHeadAttention(step: Step): void {
  if (step.input(8) !== undefined || step.input(9) !== undefined)
    step.refuse("it writes to keys that it is given");
  const past = [step.input(6), step.input(7)];
  const all = behind(step, operandsOf(step, headsOf(step)), past, step.shape(6)?.[2]);
  step.replaceBy(attended(step, all, { mask: 4, added: 5 }), all.keys, all.values);
}

/** Each is [batch, length, heads · width], or keys and values come by head, as earlier runs left them. */
function operandsOf(step: Step, heads: number): Operands {
  const [query, key, value] = [operand(step, 0), step.input(1), step.input(2)];
  const [shape = [], ofKeys = []] = [step.shape(0), step.shape(1)];
  const ranks = [step.rank(0), step.rank(1), step.rank(2)].join();
  const bias = step.input(3);
  const width = widthOf(shape[2], heads);
  const sizes = { asked: shape[1], looked: ofKeys[ranks === "3,4,4" ? 2 : 1], width };
  if (ranks === "3,3,3" && key !== undefined && value !== undefined) {
    const biases = bias === undefined ? [] : splitBias(step, bias);
    const [queries = query, keys = key, values = value] = [query, key, value].map((each, index) => {
      const own = biases[index];
      const sum = own === undefined ? each : step.add("Add", [each, own]);
      return byHead(step, sum, heads, widthOf(step.shape(index)?.[2], heads));
    });
    return { ...sizes, queries, keys, values, all: known(step.shape(2)?.[2]) };
  }
  const isByHead = ranks === "3,4,4" && key !== undefined && value !== undefined;
  if (!isByHead) return step.refuse("its operands are packed, as for a GPU");
  if (bias !== undefined) return step.refuse("its keys are projected already, and have a bias");
  const queries = byHead(step, query, heads, width);
  const own = known(step.shape(2)?.[3]);
  return { ...sizes, queries, keys: key, values: value, all: own && own * heads };
}

function splitBias(step: Step, bias: ValueId): readonly ValueId[] {
  const widths = [0, 1, 2].map((index) => step.shape(index)?.[2]);
  const known = widths.filter((width) => typeof width === "number");
  if (known.length < 3) return step.refuse("how wide its operands are is not known");
  return step.split(bias, known, 0);
}

function known(size: Dim | undefined): number | undefined {
  return typeof size === "number" ? size : undefined;
}

function widthOf(all: Dim | undefined, heads: number): number | undefined {
  const width = typeof all === "number" ? all / heads : Number.NaN;
  return Number.isInteger(width) ? width : undefined;
}

function headsOf(step: Step): number {
  const heads = step.attributes.int("num_heads", 0);
  return heads > 0 ? heads : step.refuse("how many heads it has is not known");
}

/** Keys and values behind those of earlier runs, which are so many. */
function behind(
  step: Step,
  now: Operands,
  past: readonly (ValueId | undefined)[],
  earlier: Dim | undefined,
): Operands {
  const [keys, values] = past;
  if (keys === undefined || values === undefined) return now;
  const one = (before: ValueId, own: ValueId): ValueId =>
    step.add("Concat", [before, own], { axis: attribute.int(2) });
  const { looked } = now;
  return {
    ...now,
    keys: one(keys, now.keys),
    values: one(values, now.values),
    looked: looked === undefined || earlier === undefined ? undefined : dim.add(earlier, looked),
  };
}

/** softmax(s · Q Kᵀ + masks) V, its heads side by side again. */
function attended(step: Step, operands: Operands, { mask, added }: Places): ValueId {
  const { attributes } = step;
  const { queries, keys, values, asked, looked, width, all } = operands;
  const given = attributes.float("scale", 0);
  if (given === 0 && width === undefined) return step.refuse("how wide its heads are is not known");
  const scale = given === 0 && width !== undefined ? 1 / Math.sqrt(width) : given;
  const turned = step.add("Transpose", [keys], { perm: attribute.ints([0, 1, 3, 2]) });
  const products = step.add("MatMul", [queries, turned]);
  const [rows, columns] = [
    { of: queries, axis: 2, size: asked },
    { of: keys, axis: 2, size: looked },
  ];
  const bias = added === undefined ? undefined : step.input(added);
  const scores = [maskOf(step, mask, rows, columns), bias].reduce<ValueId>(
    (sum, each) => (each === undefined ? sum : step.add("Add", [sum, each])),
    step.add("Mul", [products, step.float("scale", [scale], [])]),
  );
  const shares = step.add("Softmax", [scores], { axis: attribute.int(-1) });
  return together(step, step.add("MatMul", [shares, values]), all);
}

export const attentionWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::Attention": attention,
  "com.microsoft::MultiHeadAttention": multiHeadAttention,
};
