import {
  type Dim,
  type Graph,
  type Node,
  sameShape,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { windowAxes } from "../ops/families/window.js";
import { operatorOf } from "../ops/index.js";
import { rounds } from "./affine.js";
import {
  absorbable,
  attributesOf,
  dtypeOf,
  inputOf,
  numbersOf,
  outputOf,
  staticCount,
} from "./pattern.js";
import { scalesOf } from "./resize-scales.js";
import { replacing, type Rewrite, type Rule } from "./rule.js";

/** A node that makes each place of an image of some places of another, whose weights sum to one. */
interface Resampling {
  readonly node: Node;
  readonly source: ValueId;
  /** Each place is one of the other's. */
  readonly isSelection: boolean;
  /** The larger image's places over the smaller one's. */
  readonly ratio: number;
}

/**
 * f(Resize(x)) = Resize(f(x)) for what f does at each place for itself, and alike: convolutions of 1 × 1 and affine changes
 * of channels, since weights of a place sum to one; of the nearest place whatever is elementwise. The smaller image has
 * fewer places to do it at.
 */
export const pointwiseBeforeResize: Rule = {
  name: "pointwise-before-resize",
  exactness: "rounding",
  ops: "any",
  match(graph, node) {
    const at = node.inputs.findIndex((id) => graph.constant(id ?? undefined) === undefined);
    const resized = inputOf(node, at);
    const resize = enlargingOf(graph, resized);
    const output = outputOf(node);
    if (resize === undefined || output === undefined) return undefined;
    if (!commutes(graph, node, at, resize) || !pays(graph, node, resize)) return undefined;
    const sizes = sizesFor(graph, resize.node, shapeOf(graph, output)?.[1]);
    if (sizes === undefined) return undefined;
    return replacing(output, "done before it is enlarged", (editor) => {
      const options = { body: graph.body(node.body) };
      const inputs = node.inputs.map((id, index) => (index === at ? resize.source : id));
      const attributes = Object.fromEntries(node.attributes);
      const small = editor.add1(node.op, inputs, attributes, { ...options, name: node.name });
      const [, region = null, scales = null] = resize.node.inputs;
      const size = sizes === null ? null : editor.constant("sizes", sizes, options.body);
      return editor.add1(
        "Resize",
        size === null ? [small, region, scales] : [small, region, scales, size],
        Object.fromEntries(resize.node.attributes),
        { ...options, name: resize.node.name },
      );
    });
  },
};

/** AveragePool(Conv(x)) = Conv(AveragePool(x)) for convolutions of 1 × 1: the mean is of fewer places. */
export const pointwiseAfterPool: Rule = {
  name: "pointwise-after-pool",
  exactness: "rounding",
  ops: ["AveragePool", "GlobalAveragePool"],
  match(graph, node) {
    const conv = absorbable(graph, inputOf(node, 0), "Conv");
    const [source, output] = [conv && inputOf(conv, 0), outputOf(node)];
    if (conv === undefined || source === undefined || output === undefined) return undefined;
    const ratio = shrinks(graph, node, shapeOf(graph, source));
    if (ratio === undefined || !isPointwise(graph, conv)) return undefined;
    if (!pays(graph, conv, { node, source, isSelection: false, ratio })) return undefined;
    return swapped(graph, conv, node, source, output);
  },
};

function swapped(graph: Graph, conv: Node, pool: Node, source: ValueId, output: ValueId): Rewrite {
  return replacing(output, "done once it is pooled", (editor) => {
    const options = { body: graph.body(pool.body) };
    const again = (node: Node, x: ValueId): ValueId =>
      editor.add1(node.op, [x, ...node.inputs.slice(1)], Object.fromEntries(node.attributes), {
        ...options,
        name: node.name,
      });
    return again(conv, again(pool, source));
  });
}

/** A Resize that alone reads and enlarges, and leaves samples and channels as they are. */
function enlargingOf(graph: Graph, value: ValueId | undefined): Resampling | undefined {
  const node = absorbable(graph, value, "Resize");
  const source = node === undefined ? undefined : inputOf(node, 0);
  if (node === undefined || source === undefined || dtypeOf(graph, value) !== "float32")
    return undefined;
  const attributes = attributesOf(node);
  // What lies outside of a crop is a number of its own.
  if (attributes.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize")
    return undefined;
  const factors = factorsOf(graph, node);
  if (factors === undefined || factors.some((factor) => !(factor >= 1))) return undefined;
  const ratio = factors.reduce((product, factor) => product * factor, 1);
  const isSelection = attributes.string("mode", "nearest") === "nearest";
  return ratio > 1 ? { node, source, isSelection, ratio } : undefined;
}

/** By how much the axes behind channels grow; undefined where that is not known, or others change. */
function factorsOf(graph: Graph, resize: Node): readonly number[] | undefined {
  const [samples, channels, ...rest] = scalesOf(graph, resize) ?? [];
  const isImage = rest.length > 0 && rest.length + 2 === shapeOf(graph, outputOf(resize))?.length;
  return samples === 1 && channels === 1 && isImage && rest.every(Number.isFinite)
    ? rest
    : undefined;
}

/** The sizes that a Resize is given, with other channels; null where it is given none, undefined where that cannot be said. */
function sizesFor(
  graph: Graph,
  resize: Node,
  channels: Dim | undefined,
): Tensor | null | undefined {
  if (inputOf(resize, 3) === undefined) return null;
  const sizes = numbersOf(graph, inputOf(resize, 3));
  const attributes = attributesOf(resize);
  const isStretch = attributes.string("keep_aspect_ratio_policy", "stretch") === "stretch";
  if (sizes === undefined || typeof channels !== "number" || !isStretch) return undefined;
  const axes = attributes.ints("axes") ?? sizes.map((_, axis) => axis);
  const rank = shapeOf(graph, outputOf(resize))?.length ?? 0;
  return Tensor.int64(
    sizes.map((size, at) => ([1, 1 - rank].includes(axes[at] ?? 0) ? channels : size)),
  );
}

/** Where a pool makes less of its input: by how much, as far as that is known. Undefined where weights do not sum to one. */
function shrinks(graph: Graph, pool: Node, shape: readonly Dim[] | undefined): number | undefined {
  const sizes = shape?.slice(2);
  if (sizes === undefined) return undefined;
  if (pool.op === "GlobalAveragePool") {
    const places = staticCount(sizes) ?? Infinity;
    return places > 1 ? places : undefined;
  }
  const attributes = attributesOf(pool);
  const axes = windowAxes(sizes, attributes.ints("kernel_shape") ?? [], attributes);
  const pads = axes.some(({ before, after }) => before !== 0 || after !== 0);
  if (attributes.int("ceil_mode", 0) !== 0) return undefined;
  if (pads && attributes.int("count_include_pad", 0) !== 0) return undefined;
  const ratio = axes.reduce((product, { stride }) => product * stride, 1);
  return ratio > 1 ? ratio : undefined;
}

/** Does a node, whose input `at` is no constant, do the same at every place, and what resampling does not change? */
function commutes(graph: Graph, node: Node, at: number, { isSelection }: Resampling): boolean {
  if (node.domain !== "" || node.outputs.length !== 1) return false;
  const output = outputOf(node);
  if (dtypeOf(graph, output) !== "float32") return false;
  if (node.op === "Conv") return at === 0 && isPointwise(graph, node);
  if (node.op === "BatchNormalization")
    return at === 0 && attributesOf(node).int("training_mode", 0) === 0;
  const shape = shapeOf(graph, inputOf(node, at));
  if (shape === undefined || !sameShape(shape, shapeOf(graph, output))) return false;
  const others = node.inputs.flatMap((id, index) => (index === at || id === null ? [] : [id]));
  const isAlike = others.every((id) => isAlikeAtPlaces(graph.constant(id), shape.length));
  if (!isAlike) return false;
  return isSelection ? operatorOf(node)?.traits.elementwise === true : isAffine(graph, node, at);
}

function isAffine(graph: Graph, node: Node, at: number): boolean {
  const other = graph.constant(inputOf(node, 1 - at));
  switch (node.op) {
    case "Add":
    case "Sub":
      return other !== undefined && !rounds(other);
    case "Mul":
      return other !== undefined;
    case "Div":
      return at === 0 && other !== undefined;
    default:
      return false;
  }
}

/** One number, or one for each channel and the same at every place of every sample. */
function isAlikeAtPlaces(constant: Tensor | undefined, rank: number): boolean {
  if (constant === undefined || constant.dims.length > rank) return false;
  const before = rank - constant.dims.length;
  return constant.dims.every((size, axis) => size === 1 || axis + before === 1);
}

/** A convolution of 1 × 1 that looks at every place once. */
function isPointwise(graph: Graph, conv: Node): boolean {
  const attributes = attributesOf(conv);
  const kernel = shapeOf(graph, inputOf(conv, 1))?.slice(2);
  const isPlain = (name: string, number: number): boolean =>
    (attributes.ints(name) ?? []).every((each) => each === number);
  // However it is asked to pad, a window of one place needs none.
  return (
    kernel?.every((size) => size === 1) === true && isPlain("strides", 1) && isPlain("pads", 0)
  );
}

/** What an element of an image takes to make, in multiplications. */
const costOfElement = { selection: 2, mean: 10 };

/** Does a node save more at the places that it is spared than resampling its result takes longer than its input? */
function pays(graph: Graph, node: Node, { isSelection, ratio }: Resampling): boolean {
  if (node.op !== "Conv") return true;
  const [outputs, depth] = shapeOf(graph, inputOf(node, 1)) ?? [];
  if (typeof outputs !== "number" || typeof depth !== "number") return false;
  const inputs = depth * attributesOf(node).int("group", 1);
  const more = Math.max(0, outputs - inputs);
  return (
    outputs * depth * (1 - 1 / ratio) >= more * costOfElement[isSelection ? "selection" : "mean"]
  );
}
