import {
  attribute,
  type Graph,
  isStatic,
  type Node,
  Tensor,
  type TensorData,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { ofAllAxes } from "../ops/families/pad.js";
import { windowAxes } from "../ops/families/window.js";
import { operatorOf } from "../ops/index.js";
import {
  absorbable,
  attributesOf,
  dtypeOf,
  inputOf,
  numbersOf,
  outputOf,
  scalarOf,
} from "./pattern.js";
import type { Miss, Rewrite, Rule } from "./rule.js";
import { isZeros } from "./fillings.js";

/**
 * Conv(Pad(x, p)) = Conv(x, pads + p) for zeros around the spatial axes. AveragePool likewise, counting what is
 * padded; MaxPool where what is padded never wins: −∞, or 0 around values that are nowhere negative.
 */
export const padIntoWindow: Rule = {
  name: "pad-into-window",
  exactness: "bitwise",
  ops: ["Conv", "AveragePool", "MaxPool"],
  match(graph, node) {
    const pad = absorbable(graph, inputOf(node, 0), "Pad");
    const source = pad === undefined ? undefined : inputOf(pad, 0);
    const rank = shapeOf(graph, source)?.length;
    if (pad === undefined || source === undefined || rank === undefined) return undefined;
    const amounts = padsOf(graph, pad, rank);
    if (amounts === undefined) return undefined;
    const pads = together(node, amounts, rank);
    return (
      refuses(graph, node, pad, amounts) ?? refusesPads(node, pads) ?? absorb(node, pads, source)
    );
  },
};

/**
 * auto_pad of a window that is spread out, said as pads: onnxruntime refuses to run the two together. Where a window moves by one,
 * the pads are the same for every size. Of a pool it runs them, and pads by less than the specification says: those stay.
 */
export const spellOutPads: Rule = {
  name: "spell-out-pads",
  exactness: "bitwise",
  ops: ["Conv"],
  match(graph, node) {
    const attributes = attributesOf(node);
    const isSpread = attributes.ints("dilations")?.some((step) => step !== 1) === true;
    if (!isSpread || !attributes.string("auto_pad", "NOTSET").startsWith("SAME")) return undefined;
    const sizes = shapeOf(graph, inputOf(node, 0))?.slice(2);
    const kernel = attributes.ints("kernel_shape") ?? shapeOf(graph, inputOf(node, 1))?.slice(2);
    if (sizes === undefined || kernel === undefined) return undefined;
    const axes = windowAxes(sizes, kernel, attributes);
    const pads = [...axes.map(({ before }) => before), ...axes.map(({ after }) => after)];
    if (!isStatic(pads)) return { miss: "how much it pads hangs on sizes that are free" };
    return {
      because: `it pads by [${pads.join(", ")}]`,
      rewrite(editor) {
        editor.setAttribute(node.id, "pads", attribute.ints(pads));
        editor.setAttribute(node.id, "auto_pad", undefined);
      },
    };
  },
};

/** Pad(x) by less than nothing = a Slice of x, padded by what is left: for modules, whose kernel only adds. */
export const cropBeforePad: Rule = {
  name: "crop-before-pad",
  exactness: "bitwise",
  ops: ["Pad"],
  match(graph, node) {
    const source = inputOf(node, 0);
    const sizes = shapeOf(graph, source);
    const isFilled = attributesOf(node).string("mode", "constant") === "constant";
    if (source === undefined || sizes === undefined || !isStatic(sizes) || !isFilled)
      return undefined;
    const amounts = padsOf(graph, node, sizes.length);
    if (amounts?.some((amount) => amount < 0) !== true) return undefined;
    const { length: rank } = sizes;
    const starts = sizes.map((_, axis) => Math.max(0, -(amounts[axis] ?? 0)));
    const ends = sizes.map((size, axis) => size - Math.max(0, -(amounts[rank + axis] ?? 0)));
    // What is cut off from both sides may be all.
    if (starts.some((start, axis) => start >= (ends[axis] ?? 0))) return undefined;
    return {
      because: "it takes away where it adds less than nothing",
      rewrite(editor) {
        const body = graph.body(node.body);
        const list = (numbers: readonly number[]): ValueId =>
          editor.constant("crop", Tensor.int64(numbers), body);
        const cropped = editor.add1("Slice", [source, list(starts), list(ends)], {}, { body });
        editor.setInput(node.id, 0, cropped);
        editor.setInput(node.id, 1, list(amounts.map((amount) => Math.max(0, amount))));
        // They are of all axes now.
        if (inputOf(node, 3) !== undefined) editor.setInput(node.id, 3, null);
      },
    };
  },
};

/** What the Pad puts around the spatial axes and what the window does, begins and then ends. */
function together(node: Node, amounts: readonly number[], rank: number): readonly number[] {
  const own = attributesOf(node).ints("pads");
  return [...amounts.slice(2, rank), ...amounts.slice(rank + 2)].map(
    (amount, at) => amount + (own?.[at] ?? 0),
  );
}

function absorb(node: Node, pads: readonly number[], source: ValueId): Rewrite {
  return {
    because: `pads by [${pads.join(", ")}] itself`,
    rewrite(editor) {
      editor.setAttribute(node.id, "pads", attribute.ints(pads));
      editor.setAttribute(node.id, "auto_pad", undefined);
      if (node.op === "AveragePool")
        editor.setAttribute(node.id, "count_include_pad", attribute.int(1));
      editor.setInput(node.id, 0, source);
    },
  };
}

function refuses(
  graph: Graph,
  node: Node,
  pad: Node,
  amounts: readonly number[],
): Miss | undefined {
  const attributes = attributesOf(node);
  const rank = amounts.length / 2;
  const autoPad = attributes.string("auto_pad", "NOTSET");
  if (autoPad !== "NOTSET" && autoPad !== "VALID") return { miss: `its own padding is ${autoPad}` };
  if (attributesOf(pad).string("mode", "constant") !== "constant")
    return { miss: `the Pad before it is of mode ${attributesOf(pad).string("mode")}` };
  const outer = [0, 1, rank, rank + 1].some((at) => amounts[at] !== 0);
  if (outer || amounts.some((amount) => amount < 0))
    return { miss: "the Pad before it crops, or pads batch or channels" };
  const value = inputOf(pad, 2) === undefined ? 0 : scalarOf(graph, inputOf(pad, 2));
  const ownPads = (attributes.ints("pads") ?? []).some((amount) => amount !== 0);
  switch (node.op) {
    case "Conv":
      return value === 0 ? undefined : { miss: "the Pad before it does not pad with 0" };
    case "AveragePool": {
      const counts = !ownPads || attributes.int("count_include_pad", 0) === 1;
      return value === 0 && counts && attributes.int("ceil_mode", 0) === 0
        ? undefined
        : { miss: "it would count padded elements otherwise" };
    }
    default: {
      const least = value !== undefined && (value === -Infinity || value <= -3.4028234663852886e38);
      const harmless = least || (value === 0 && isNowhereNegative(graph, inputOf(pad, 0)));
      const plain =
        attributes.int("ceil_mode", 0) === 0 &&
        node.outputs.length === 1 &&
        attributes.ints("dilations") === undefined;
      return harmless && plain ? undefined : { miss: "what is padded could be the maximum" };
    }
  }
}

/** An engine refuses a pool that pads as much as its windows are large. */
function refusesPads(node: Node, pads: readonly number[]): Miss | undefined {
  const kernel = attributesOf(node).ints("kernel_shape") ?? [];
  const isWide = pads.some((amount, at) => amount >= (kernel[at % kernel.length] ?? 0));
  return node.op !== "Conv" && isWide
    ? { miss: "it would pad as much as its windows are large" }
    : undefined;
}

/** Does the operator that makes a value say so, whatever it was given? */
export function isNowhereNegative(graph: Graph, value: ReturnType<typeof inputOf>): boolean {
  const producer = graph.producer(value);
  const range = producer === undefined ? undefined : operatorOf(producer)?.traits.range;
  return range !== undefined && range[0] >= 0;
}

/** All 2 · rank amounts, those of axes that are not named being 0. */
function padsOf(graph: Graph, pad: Node, rank: number): readonly number[] | undefined {
  const given = numbersOf(graph, inputOf(pad, 1));
  if (given === undefined) return undefined;
  if (inputOf(pad, 3) === undefined) return given.length === 2 * rank ? given : undefined;
  const axes = numbersOf(graph, inputOf(pad, 3));
  return axes && ofAllAxes(given, axes, rank);
}

/**
 * Concat(x, zeros) = Pad(x): a block of zeros in the file or made at run time is not needed. What is in the file, and large
 * enough to stay there until it is needed, is read to know.
 */
export const concatZerosToPad: Rule = {
  name: "concat-zeros-to-pad",
  exactness: "bitwise",
  ops: ["Concat"],
  match(graph, node) {
    const output = outputOf(node);
    const rank = shapeOf(graph, output)?.length;
    if (output === undefined || rank === undefined || dtypeOf(graph, output) !== "float32")
      return undefined;
    const axis = normalAxis(attributesOf(node).int("axis", 0), rank);
    const unread = node.inputs.map((id) => unreadOf(graph, id));
    const sizes = node.inputs.map((id, index) =>
      id !== null && (unread[index] !== undefined || isZeros(graph, id))
        ? sizeAlong(graph, id, axis)
        : undefined,
    );
    const kept = node.inputs.filter((_, index) => sizes[index] === undefined);
    const [x] = kept;
    if (kept.length !== 1 || x === undefined || x === null || sizes.length < 2) return undefined;
    const at = node.inputs.indexOf(x);
    const pads = Array.from({ length: 2 * rank }, () => 0);
    pads[axis] = total(sizes.slice(0, at));
    pads[axis + rank] = total(sizes.slice(at + 1));
    const because = "joining with zeros is padding";
    const needs = unread.filter((tensor) => tensor !== undefined);
    return {
      because,
      needs,
      work: needs.reduce((elements, { count }) => elements + count, 0),
      rewrite(editor, data) {
        if (!data.every(isOfZeros)) return;
        const body = graph.body(node.body);
        editor.replace(
          output,
          editor.add1("Pad", [x, editor.constant("pads", Tensor.int64(pads), body)], {}, { body }),
          because,
        );
      },
    };
  },
};

/** A constant whose elements are still in the file. */
function unreadOf(graph: Graph, id: ValueId | null): Tensor | undefined {
  const constant = id === null ? undefined : graph.constant(id);
  return constant?.data === undefined ? constant : undefined;
}

function isOfZeros(elements: TensorData): boolean {
  return elements instanceof Float32Array && elements.every((element) => element === 0);
}

function total(sizes: readonly (number | undefined)[]): number {
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

function sizeAlong(graph: Graph, id: ValueId, axis: number): number | undefined {
  const size = shapeOf(graph, id)?.[axis];
  return typeof size === "number" ? size : undefined;
}
