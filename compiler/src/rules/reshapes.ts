import { type Dim, type Graph, type Node, sameShape, Tensor, type ValueId } from "../ir/index.js";
import { operators } from "../ops/index.js";
import { attributesOf, bypass, inputOf, madeBy, numbersOf, outputOf, shapeOf } from "./pattern.js";
import type { Rewrite, Rule } from "./rule.js";

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

/** The same target for another source: a 0 that copied a dim becomes that number, or 0 where the source has it there too. */
function rewritten(
  target: readonly number[],
  middle: Shape,
  from: Shape,
): readonly number[] | undefined {
  if (!target.includes(0)) return target;
  let free = target.filter((size) => size === -1).length;
  const dims: number[] = [];
  for (const [axis, size] of target.entries()) {
    const copied = middle?.[axis];
    if (size !== 0) dims.push(size);
    else if (copied === undefined) return undefined;
    else if (copied === from?.[axis]) dims.push(0);
    else if (typeof copied === "number") dims.push(copied);
    else {
      free += 1;
      dims.push(-1);
    }
  }
  if (free > 1) return undefined;
  return dims.every((size, axis) => size === target[axis]) ? target : dims;
}

/** Squeeze(x) and Unsqueeze(x) of Squeeze or Unsqueeze, all shapes known: one Reshape. */
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

/** What Reshape is told to make one shape of another; undefined where more than one size of it would be left open. */
export function reshapeTarget(
  from: readonly Dim[],
  to: readonly Dim[],
): readonly number[] | undefined {
  let free = 0;
  const dims = to.map((size, axis) => {
    if (typeof size === "number" && size > 0) return size;
    if (size === from[axis]) return 0;
    free += 1;
    return -1;
  });
  return free > 1 ? undefined : dims;
}

/** One Reshape in a node's place; undefined where more than one size of its result would be left open. */
function reshaped(
  graph: Graph,
  node: Node,
  { source, from, to, output }: Reshaped,
  because: string,
): Rewrite | undefined {
  const dims = reshapeTarget(from, to);
  if (dims === undefined) return undefined;
  return {
    because,
    rewrite(editor) {
      const body = graph.body(node.body);
      const target = editor.constant("target", Tensor.int64(dims), body);
      editor.replace(output, editor.add1("Reshape", [source, target], {}, { body }), because);
    },
  };
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
