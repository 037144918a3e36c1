import { attribute, edit, type Graph, type Node, shapeOf, type ValueId } from "../ir/index.js";
import { attributeReader } from "../ops/index.js";
import { givenAs } from "./scores-behind.js";

/**
 * Transpose(Softmax(x)) = Softmax(Transpose(x)) along the same axis, and so of a sigmoid: right behind an output there are then
 * scores, in its own order, which losses are taken of.
 * @param kept names of values that signals read
 */
export function moveScores(graph: Graph, kept: ReadonlySet<string>): void {
  for (let index = 0; index < graph.main.outputs.length; index += 1) {
    const output = graph.main.outputs[index];
    const move = output === undefined ? undefined : moveAt(graph, givenAs(graph, output));
    if (move === undefined) continue;
    const { moved, value, last, scores, order, axis } = move;
    const gone = graph.isOutput(moved) ? [value] : [value, moved];
    if (gone.some((id) => kept.has(graph.value(id).name))) continue;
    edit(graph, "move-scores", (editor) => {
      const turned = editor.add1("Transpose", [scores], { perm: attribute.ints(order) });
      const along = last.op === "Sigmoid" ? {} : { axis: attribute.int(order.indexOf(axis)) };
      editor.replace(moved, editor.add1(last.op, [turned], along), "moved before it");
    });
  }
}

interface Move {
  /** What a transpose gives, of what, and in which order. */
  readonly moved: ValueId;
  readonly value: ValueId;
  readonly order: readonly number[];
  /** What gives that, of which scores, and along which axis. */
  readonly last: Node;
  readonly scores: ValueId;
  readonly axis: number;
}

function moveAt(graph: Graph, moved: ValueId): Move | undefined {
  const transpose = graph.producer(moved);
  const value = transpose?.inputs[0] ?? undefined;
  const last = value === undefined ? undefined : graph.producer(value);
  const scores = last?.inputs[0] ?? undefined;
  const rank = shapeOf(graph, value)?.length;
  if (transpose?.op !== "Transpose" || last === undefined || rank === undefined) return undefined;
  if (value === undefined || scores === undefined) return undefined;
  if (!["Softmax", "LogSoftmax", "Sigmoid"].includes(last.op)) return undefined;
  const axis = attributeReader(last.attributes).int("axis", -1);
  const reversed = Array.from({ length: rank }, (_, at) => rank - 1 - at);
  const order = attributeReader(transpose.attributes).ints("perm") ?? reversed;
  return { moved, value, order, last, scores, axis: axis < 0 ? rank + axis : axis };
}
