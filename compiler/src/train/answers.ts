import type { Graph, Node, ValueId } from "../ir/index.js";
import { movesExactly, operatorOf } from "../ops/index.js";

/** A value of the student that is to become as one of the teacher's, both by name. */
export interface Answer {
  readonly value: string;
  readonly teacher: string;
}

/** More is a stack of the same, over time or places. */
const mostParts = 16;

/**
 * What of a teacher's outputs is learned where nobody says: the float outputs, each with the teacher's of its name, or else of its
 * place. Of what is put together at the end, boxes and their scores, the parts; of what is selected, boxes that do not overlap,
 * what it is selected from, and so of integers, where no output is a float. Where teacher and student are built otherwise there,
 * the outputs as they are.
 * @param isWhole a student's output that stays one
 */
export function answersOf(
  student: Graph,
  teacher: Graph,
  isWhole: (output: ValueId) => boolean = () => false,
): readonly Answer[] {
  const areFloats = student.main.outputs.some((id) => isFloat(student, id));
  const names = teacher.main.outputs.map((id) => teacher.value(id).name);
  const answers = student.main.outputs.flatMap((output, index): readonly Answer[] => {
    const { name } = student.value(output);
    const other = teacher.main.outputs[names.includes(name) ? names.indexOf(name) : index];
    if (other === undefined)
      return isFloat(student, output) ? [{ value: name, teacher: name }] : [];
    const [own, taught] = [
      learnable(student, output, areFloats),
      learnable(teacher, other, areFloats),
    ];
    const isAlike = own.length === taught.length && !isWhole(output);
    if (isAlike)
      return own.map((id, at) => ({
        value: student.value(id).name,
        teacher: teacher.value(taught[at] ?? other).name,
      }));
    return isFloat(student, output) ? [{ value: name, teacher: teacher.value(other).name }] : [];
  });
  return [...new Map(answers.map((answer) => [answer.value, answer])).values()];
}

/** Values of one graph that an output is made of, and that vary with the weights. */
function learnable(graph: Graph, output: ValueId, areFloats: boolean): readonly ValueId[] {
  // All that a run tells the size of, and all that is made of it.
  const selected = madeOf(graph, new Set(), isSizedByContent);
  // An integer beside floats is the class that they say.
  const isChosen = selected.has(output) || (!areFloats && !isFloat(graph, output));
  const whole = isChosen ? selectedFrom(graph, output, selected) : [output];
  return whole.filter((id) => isFloat(graph, id)).flatMap((id) => partsOf(graph, id));
}

function isSizedByContent(node: Node): boolean {
  return operatorOf(node)?.traits.sizedByContent === true;
}

/** All values that are made of some, or by some nodes. */
function madeOf(
  graph: Graph,
  some: ReadonlySet<ValueId>,
  by: (node: Node) => boolean = () => false,
): ReadonlySet<ValueId> {
  const found = new Set<ValueId>();
  for (const node of graph.order())
    if (by(node) || node.inputs.some((id) => id !== null && (some.has(id) || found.has(id))))
      for (const id of node.outputs) if (id !== null) found.add(id);
  return found;
}

/** The last floats that were computed before anything was selected: where numbers only move, what they come from. */
function selectedFrom(
  graph: Graph,
  output: ValueId,
  selected: ReadonlySet<ValueId>,
): readonly ValueId[] {
  const found = new Set<ValueId>();
  const seen = new Set<ValueId>();
  const open = [output];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = graph.producer(id);
    if (seen.has(id) || node === undefined || saysSizes(node)) continue;
    seen.add(id);
    const moves = movesExactly(operatorOf(node)?.traits.dataMovement);
    const isComputed = !selected.has(id) && isFloat(graph, id) && !moves;
    if (isComputed) found.add(id);
    else for (const input of node.inputs) if (input !== null) open.push(input);
  }
  // What is made of another that is learned says nothing more.
  const more = madeOf(graph, found);
  return [...found].filter((id) => !more.has(id));
}

function saysSizes({ op }: Node): boolean {
  return op === "Shape" || op === "Size";
}

/** What is put together, under whatever shape and order; the value itself where it is not, or of too much. */
function partsOf(graph: Graph, value: ValueId): readonly ValueId[] {
  const parts: ValueId[] = [];
  const open = [value];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const joined = joinedTo(graph, id);
    if (joined === undefined && graph.producer(id) !== undefined) parts.push(id);
    if (Math.max(parts.length, joined?.length ?? 0) > mostParts) return [value];
    if (joined !== undefined) open.push(...joined.toReversed());
  }
  return parts.length > 1 && parts.every((id) => isFloat(graph, id)) ? parts : [value];
}

/** What a value joins, where it does nothing else. */
function joinedTo(graph: Graph, value: ValueId): readonly ValueId[] | undefined {
  let node = graph.producer(value);
  while (node !== undefined && movesAll(node)) node = graph.producer(node.inputs[0]);
  return node?.op === "Concat" ? node.inputs.flatMap((id) => id ?? []) : undefined;
}

function movesAll(node: Node): boolean {
  const movement = operatorOf(node)?.traits.dataMovement;
  return movement === "copies" || movement === "reshapes" || movement === "permutes";
}

function isFloat(graph: Graph, id: ValueId): boolean {
  const { type } = graph.value(id);
  return type.kind === "tensor" && type.dtype === "float32";
}
