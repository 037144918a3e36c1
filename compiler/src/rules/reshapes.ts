import {
  type Dim,
  type Graph,
  type Node,
  sameShape,
  Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { isPositive, operators } from "../ops/index.js";
import { attributesOf, bypass, inputOf, madeBy, numbersOf, outputOf } from "./pattern.js";
import { replacing, type Rewrite, type Rule } from "./rule.js";

/** They keep the elements and their order, and change the shape alone. */
const reshapers = [...operators]
  .filter(([, { traits }]) => traits.dataMovement === "reshapes")
  .map(([key]) => key);

/** r(… r(x)) = x when the last result has x's shape. */
const undoneReshapes: Rule = {
  name: "undo-reshapes",
  exactness: "bitwise",
  ops: reshapers,
  match(graph, node) {
    const shape = shapeOf(graph, outputOf(node));
    if (shape === undefined) return undefined;
    for (
      let before = madeBy(graph, inputOf(node, 0), ...reshapers);
      before !== undefined;
      before = madeBy(graph, inputOf(before, 0), ...reshapers)
    ) {
      const source = inputOf(before, 0);
      if (sameShape(shapeOf(graph, source), shape))
        return bypass(graph, node, source, "undone by a reshape after it");
    }
    return undefined;
  },
};

/** Reshape(r(x), t) = Reshape(x, t), also of a Transpose that keeps the order of elements, when t copies no dim of r's result (has no 0, or takes 0 literally). */
const mergeReshapes: Rule = {
  name: "merge-reshapes",
  exactness: "bitwise",
  ops: ["Reshape"],
  match(graph, node) {
    const x = inputOf(node, 0);
    const transpose = madeBy(graph, x, "Transpose");
    const before = keepsOrder(graph, transpose) ? transpose : madeBy(graph, x, ...reshapers);
    const source = before === undefined ? undefined : inputOf(before, 0);
    const target = numbersOf(graph, inputOf(node, 1));
    if (source === undefined || target === undefined) return undefined;
    const literal = attributesOf(node).int("allowzero", 0) === 1;
    const [from, middle] = [shapeOf(graph, source), shapeOf(graph, inputOf(node, 0))];
    const dims = literal ? target : rewritten(target, middle, from);
    if (dims === undefined) return undefined;
    return {
      because: "merged with the reshape before it",
      rewrite(editor) {
        editor.setInput(node.id, 0, source);
        if (dims !== target)
          editor.setInput(
            node.id,
            1,
            editor.constant("target", Tensor.int64(dims), graph.body(node.body)),
          );
      },
    };
  },
};

type Shape = ReturnType<typeof shapeOf>;

/**
 * The same target for another source: a 0 that copied a dim becomes that number, or 0 where the source has it there too.
 * Undefined where it cannot be said, or only so that it fails where the target did not.
 */
function rewritten(
  target: readonly number[],
  middle: Shape,
  from: Shape,
): readonly number[] | undefined {
  const dims: number[] = [];
  for (const [axis, size] of target.entries()) {
    const copied = middle?.[axis];
    if (size !== 0) dims.push(size);
    else if (copied === undefined) return undefined;
    else if (copied === from?.[axis]) dims.push(0);
    else if (copied === 0) return undefined;
    else dims.push(typeof copied === "number" ? copied : -1);
  }
  if (dims.every((size, axis) => size === target[axis])) return target;
  return isTarget(dims, from) ? dims : undefined;
}

/** Squeeze(x) and Unsqueeze(x) of Squeeze or Unsqueeze, all shapes known: one Reshape, or Unsqueeze. */
const squeezesToReshape: Rule = {
  name: "squeezes-to-reshape",
  exactness: "bitwise",
  ops: ["Squeeze", "Unsqueeze", "Flatten"],
  match(graph, node) {
    const before = madeBy(graph, inputOf(node, 0), ...reshapers);
    const source = before === undefined ? undefined : inputOf(before, 0);
    const [from, to] = [shapeOf(graph, source), shapeOf(graph, outputOf(node))];
    const output = outputOf(node);
    if (source === undefined || output === undefined || from === undefined || to === undefined)
      return undefined;
    return reshaped(graph, node, { source, from, to, output }, "merged with the reshape before it");
  },
};

/** What Reshape is told to make one shape of another; undefined where it cannot be. */
export function reshapeTarget(
  from: readonly Dim[],
  to: readonly Dim[],
): readonly number[] | undefined {
  const dims = to.map((size, axis) => {
    if (typeof size === "number" && size > 0) return size;
    return size === from[axis] ? 0 : -1;
  });
  return isTarget(dims, from) ? dims : undefined;
}

/**
 * Does this say every size, whatever the source's are? One may be −1, for what is left: where another may be 0, as of a batch
 * that is empty, nothing says what that is, and an engine refuses it.
 */
export function isTarget(dims: readonly number[], from: Shape): boolean {
  const open = dims.filter((size) => size === -1).length;
  const isCertain = dims.every((size, axis) => size !== 0 || isPositive(from?.[axis] ?? 0));
  return open === 0 || (open === 1 && isCertain);
}

/** One Reshape in a node's place, or one Unsqueeze; undefined where neither can be told its result's shape. */
export function reshaped(
  graph: Graph,
  node: Node,
  { source, from, to, output }: Reshaped,
  because: string,
): Rewrite | undefined {
  const dims = reshapeTarget(from, to);
  const op = dims === undefined ? "Unsqueeze" : "Reshape";
  const told = dims ?? axesPutIn(from, to);
  if (told === undefined) return undefined;
  return replacing(output, because, (editor) => {
    const body = graph.body(node.body);
    const ints = editor.constant(dims === undefined ? "axes" : "target", Tensor.int64(told), body);
    return editor.add1(op, [source, ints], {}, { body });
  });
}

/** Axes of the second shape, all of size 1, that the first has not; undefined where they differ in more. */
function axesPutIn(from: readonly Dim[], to: readonly Dim[]): readonly number[] | undefined {
  const axes: number[] = [];
  for (const [axis, size] of to.entries()) {
    if (size === from[axis - axes.length]) continue;
    if (size !== 1) return undefined;
    axes.push(axis);
  }
  return axes.length > 0 && to.length - axes.length === from.length ? axes : undefined;
}

interface Reshaped {
  readonly source: ValueId;
  readonly from: readonly Dim[];
  readonly to: readonly Dim[];
  readonly output: ValueId;
}

/** Transpose(Transpose(x, p), q) = Transpose(x, p∘q); an axes' order that is kept is dropped by `drop-transpose`. */
const mergeTransposes: Rule = {
  name: "merge-transposes",
  exactness: "bitwise",
  ops: ["Transpose"],
  match(graph, node) {
    const before = madeBy(graph, inputOf(node, 0), "Transpose");
    const source = before === undefined ? undefined : inputOf(before, 0);
    if (before === undefined || source === undefined) return undefined;
    const [first, second] = [permOf(graph, before), permOf(graph, node)];
    if (first === undefined || second === undefined) return undefined;
    const perm = second.map((axis) => first[axis] ?? 0);
    return {
      because: "merged with the transpose before it",
      rewrite(editor) {
        editor.setAttribute(node.id, "perm", { type: "ints", value: perm.map(BigInt) });
        editor.setInput(node.id, 0, source);
      },
    };
  },
};

/** The axes' order; reversed where it is not given. */
export function permOf(graph: Graph, node: Node): readonly number[] | undefined {
  const given = attributesOf(node).ints("perm");
  const shape = shapeOf(graph, inputOf(node, 0));
  return given ?? shape?.map((_, axis) => shape.length - 1 - axis);
}

/** Does a Transpose move only axes of size 1, so that elements lie as they did? */
function keepsOrder(graph: Graph, transpose: Node | undefined): boolean {
  if (transpose === undefined) return false;
  const from = shapeOf(graph, inputOf(transpose, 0));
  const moved = permOf(graph, transpose)?.filter((axis) => from?.[axis] !== 1);
  return moved?.every((axis, index) => index === 0 || axis > (moved[index - 1] ?? 0)) === true;
}

/** A Transpose that moves only axes of size 1 is a Reshape, which costs nothing. */
const transposeToReshape: Rule = {
  name: "transpose-to-reshape",
  exactness: "bitwise",
  ops: ["Transpose"],
  match(graph, node) {
    const x = inputOf(node, 0);
    const output = outputOf(node);
    const from = shapeOf(graph, x);
    const perm = permOf(graph, node);
    if (x === undefined || output === undefined || from === undefined || perm === undefined)
      return undefined;
    if (!keepsOrder(graph, node)) return undefined;
    const to = shapeOf(graph, output);
    if (to === undefined || perm.every((axis, at) => axis === at)) return undefined;
    return reshaped(graph, node, { source: x, from, to, output }, "moves axes of size 1 only");
  },
};

export const reshapes: readonly Rule[] = [
  undoneReshapes,
  mergeReshapes,
  squeezesToReshape,
  mergeTransposes,
  transposeToReshape,
];
