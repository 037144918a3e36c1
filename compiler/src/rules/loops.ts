import {
  attribute,
  bodiesOf,
  type Body,
  type Dim,
  dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { operatorOf } from "../ops/index.js";
import { type Counter, linearOf, type LoopScalars, roundsOf } from "./loop-rounds.js";
import {
  attributesOf,
  dtypeOf,
  inputOf,
  madeBy,
  scalarOf,
  shapeOf,
  staticCount,
} from "./pattern.js";
import type { Rule } from "./rule.js";
import { behindIdentity } from "./scan-parts.js";

/**
 * A Loop that makes as many rounds whatever it is given, and takes a row of something in each, is a Scan: what stays over the
 * rounds is seen from outside, counters are their numbers, and sizes of its results are known. So tf2onnx writes what Keras
 * loops over time.
 */
export const loopToScan: Rule = {
  name: "loop-to-scan",
  exactness: "bitwise",
  ops: ["Loop"],
  match(graph, node) {
    const loop = countedLoop(graph, node);
    if (loop === undefined) return undefined;
    const because = `it always makes ${String(loop.rounds)} rounds`;
    return {
      because,
      work: workOfWritten * loop.written,
      rewrite: (editor) => new AsScan(graph, editor, node, loop).write(because),
    };
  },
};

/** Of each round, and of each row that is not taken in order. */
const mostWritten = 2 ** 12;
/** A file of a stranger may have thousands of loops in it: what is written for each is a part of what may be computed of it. */
const workOfWritten = 1024;

/** What a Loop carries from one round to the next. */
type Carried =
  | (Counter & { readonly kind: "counter" })
  | { readonly kind: "kept" }
  | { readonly kind: "state" };

interface CountedLoop {
  readonly body: Body;
  readonly rounds: Dim;
  readonly carried: readonly Carried[];
  /** Nodes of the body that its results are made of, in order. */
  readonly needed: readonly Node[];
  /** Of those that take a row of what is outside: which, in each round. */
  readonly rows: ReadonlyMap<Node, Row>;
  /** Numbers that are written down for it: of rounds, and of rows. */
  readonly written: number;
}

interface Row {
  readonly of: ValueId;
  /** Along which they lie. */
  readonly axis: number;
  /** Absent: all of them, in order. */
  readonly indices?: readonly number[];
}

/** Undefined for one that ends by what it computes, or whose states may change their shapes. */
function countedLoop(graph: Graph, node: Node): CountedLoop | undefined {
  const [body] = bodiesOf(node);
  if (body === undefined || body.inputs.length < 2) return undefined;
  if (body.inputs.length !== node.inputs.length || body.outputs.length !== node.outputs.length + 1)
    return undefined;
  const inits = node.inputs.slice(2);
  if (inits.some((id) => id === null)) return undefined;
  const carried = inits.map((_, at) => carriedAt(graph, node, body, at));
  const scalars = scalarsOf(node, body, carried);
  const rounds = roundsOf(graph, node, body, scalars);
  if (rounds === undefined) return undefined;
  const wanted = body.outputs
    .slice(1)
    .filter((_, at) => (carried[at]?.kind ?? "state") === "state");
  const rows = new Map<Node, Row>();
  const needed: Node[] = [];
  const open = new Set(wanted);
  for (const one of graph.order(body).toReversed()) {
    if (!one.outputs.some((id) => id !== null && open.has(id))) continue;
    if (bodiesOf(one).length > 0 || operatorOf(one)?.schema.deterministic !== true)
      return undefined;
    needed.push(one);
    const row = rowOf(graph, body, scalars, one, rounds);
    if (row === undefined) for (const id of one.inputs) if (id !== null) open.add(id);
    if (row !== undefined) rows.set(one, row);
  }
  const counts = readsNumbers(graph, node, scalars, carried, needed, rows);
  const lists = [...rows.values()].filter(({ indices }) => indices !== undefined).length;
  // Numbers of rounds, of which nobody knows how many there are, cannot be written down.
  const isWritten = !counts || (typeof rounds === "number" && rounds <= mostWritten);
  const written = typeof rounds === "number" ? rounds * (lists + (counts ? 2 : 0)) : 0;
  const keepShapes = carried.every(
    ({ kind }, at) => kind !== "state" || keepsShape(graph, node, body, at),
  );
  const isSteady = needed.every((one) => rows.has(one) || isSizedByInputs(graph, one));
  return isWritten && keepShapes && isSteady
    ? { body, rounds, carried, needed: needed.toReversed(), rows, written }
    : undefined;
}

/** Is anything made of the number of a round, or of how many there were? */
function readsNumbers(
  graph: Graph,
  node: Node,
  { counters }: LoopScalars,
  carried: readonly Carried[],
  needed: readonly Node[],
  rows: ReadonlyMap<Node, Row>,
): boolean {
  const isRead = carried.some(({ kind }, at) => {
    const output = node.outputs[at];
    const has = output !== null && output !== undefined && graph.value(output).uses.length > 0;
    return kind === "counter" && has;
  });
  return (
    isRead ||
    rows.size === 0 ||
    needed.some((one) => !rows.has(one) && one.inputs.some((id) => id !== null && counters.has(id)))
  );
}

function scalarsOf(node: Node, body: Body, carried: readonly Carried[]): LoopScalars {
  const [round] = body.inputs;
  const counters = new Map<ValueId, Counter>();
  const kept = new Map<ValueId, ValueId>();
  if (round !== undefined) counters.set(round, { first: 0, step: 1 });
  for (const [at, one] of carried.entries()) {
    const [own, init] = [body.inputs[at + 2], inputOf(node, at + 2)];
    if (own === undefined || init === undefined) continue;
    if (one.kind === "counter") counters.set(own, one);
    if (one.kind === "kept") kept.set(own, init);
  }
  return { counters, kept };
}

function carriedAt(graph: Graph, node: Node, body: Body, at: number): Carried {
  const own = body.inputs[at + 2];
  const next = behindIdentity(graph, body.outputs[at + 1]);
  if (next === own) return { kind: "kept" };
  const first = scalarOf(graph, inputOf(node, at + 2));
  const sum = madeBy(graph, next, "Add");
  const isInteger = /^int(32|64)$/.test(dtypeOf(graph, own) ?? "");
  const isScalar = [own, inputOf(node, at + 2)].every((id) => shapeOf(graph, id)?.length === 0);
  if (first === undefined || sum === undefined || !isInteger || !isScalar) return { kind: "state" };
  for (const [x, y] of [sum.inputs, sum.inputs.toReversed()]) {
    const step = scalarOf(graph, y ?? undefined);
    if (behindIdentity(graph, x ?? undefined) === own && step !== undefined)
      return { kind: "counter", first, step };
  }
  return { kind: "state" };
}

/** What a node is, that takes a row of what is outside of the loop, or stays in it. */
function rowOf(
  graph: Graph,
  body: Body,
  scalars: LoopScalars,
  one: Node,
  rounds: Dim,
): Row | undefined {
  if (one.op !== "Gather" || one.domain !== "") return undefined;
  const [data, index] = [inputOf(one, 0), inputOf(one, 1)];
  if (data === undefined || shapeOf(graph, index)?.length !== 0) return undefined;
  const of = scalars.kept.get(data) ?? data;
  if (of === data && graph.value(data).body === body.id) return undefined;
  const shape = shapeOf(graph, of);
  const axis = normalAxis(attributesOf(one).int("axis", 0), shape?.length ?? 0);
  const size = shape?.[axis];
  if (typeof rounds !== "number") {
    const counter = index === undefined ? undefined : scalars.counters.get(index);
    return size === rounds && counter?.first === 0 && counter.step === 1 ? { of, axis } : undefined;
  }
  const place = linearOf(graph, scalars, index);
  if (typeof size !== "number" || place === undefined) return undefined;
  if (rounds === size && place.round === 1 && place.constant === 0) return { of, axis };
  if (rounds > mostWritten) return undefined;
  const indices = Array.from({ length: rounds }, (_, round) => place.round * round + place.constant); // prettier-ignore
  return indices.some((at) => at < -size || at >= size) ? undefined : { of, axis, indices };
}

/**
 * Is a state's shape what it was before, as far as that can be seen of results that only inputs give their sizes? Sizes that are
 * not known have names of their own wherever they are said; one that grows has none, but is a sum.
 */
function keepsShape(graph: Graph, node: Node, body: Body, at: number): boolean {
  const shapes = [inputOf(node, at + 2), body.inputs[at + 2], body.outputs[at + 1]].map((id) => shapeOf(graph, id)); // prettier-ignore
  const [first, before, after] = shapes;
  if (first === undefined || before === undefined || after === undefined) return false;
  const isKept = (size: Dim, axis: number): boolean => {
    const [atFirst, was] = [first[axis], before[axis]];
    if (isName(size)) return true;
    return size === atFirst && (size === was || (was !== undefined && isName(was)));
  };
  return first.length === before.length && before.length === after.length && after.every(isKept);
}

function isName(size: Dim): boolean {
  const [name, ...more] = dim.symbolsOf(size);
  return name !== undefined && more.length === 0 && dim.symbol(name) === size;
}

/**
 * Do its results have sizes of their inputs, or sums of those? Then a state that grows can be seen to. Of other operators a
 * result's size has a name of its own, as that of a batch has.
 */
function isSizedByInputs(graph: Graph, node: Node): boolean {
  const isStatic = node.outputs.every((id) => id === null || staticCount(shapeOf(graph, id)) !== undefined); // prettier-ignore
  if (isStatic) return true;
  if (node.domain !== "") return false;
  // Where only a run knows how much is cut off, what is left has a name of its own too.
  const isCut = node.op === "Slice" || node.op === "Split";
  const others = node.inputs.slice(1).flatMap((id) => id ?? []);
  if (isCut && others.some((id) => graph.constant(id) === undefined)) return false;
  return operatorOf(node)?.traits.elementwise !== undefined || sizedByInputs.has(node.op);
}

const sizedByInputs: ReadonlySet<string> = new Set([
  "Identity",
  "Cast",
  "MatMul",
  "Gemm",
  "Conv",
  "Concat",
  "Split",
  "Slice",
  "Gather",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Where",
  "Softmax",
]);

/** Writes a loop as a Scan. */
class AsScan {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #node: Node;
  readonly #loop: CountedLoop;
  readonly #into: Body;
  readonly #body: Body;
  /** Of the loop's body, what they are in the Scan's. */
  readonly #values = new Map<ValueId, ValueId>();
  readonly #scanned: ValueId[] = [];

  constructor(graph: Graph, editor: Editor, node: Node, loop: CountedLoop) {
    this.#graph = graph;
    this.#editor = editor;
    this.#node = node;
    this.#loop = loop;
    this.#into = graph.body(node.body);
    this.#body = editor.addBody("rows");
  }

  write(because: string): void {
    const { body, carried, needed, rows, rounds } = this.#loop;
    const states = carried.flatMap(({ kind }, at) => (kind === "state" ? [at] : []));
    for (const at of states) this.#input(at);
    for (const [at, { kind }] of carried.entries())
      if (kind === "kept") this.#set(body.inputs[at + 2], inputOf(this.#node, at + 2));
    for (const [one, row] of rows) {
      const [output] = one.outputs;
      if (output !== null && output !== undefined) this.#row(output, this.#rowsOf(row), row);
    }
    for (const one of needed) if (!rows.has(one)) this.#copy(one);
    if (this.#scanned.length === 0) this.#rounds({ first: 0, step: 1 }, "int64");
    const finals = states.map((at) => this.#result(body.outputs[at + 1]));
    const results = body.outputs.slice(carried.length + 1).map((id) => this.#result(id));
    for (const id of [...finals, ...results]) this.#editor.addOutput(id, this.#body);
    const inits = states.flatMap((at) => inputOf(this.#node, at + 2) ?? []);
    const made = this.#editor.add(
      "Scan",
      [...inits, ...this.#scanned],
      { body: attribute.graph(this.#body), num_scan_inputs: attribute.int(this.#scanned.length) },
      { body: this.#into, outputs: states.length + results.length },
    );
    for (const [index, output] of this.#node.outputs.entries()) {
      if (output === null) continue;
      const one = carried[index];
      const by = this.#outcome(one, index, states, made, rounds);
      if (by !== undefined) this.#editor.replace(output, by, because);
    }
  }

  #outcome(
    one: Carried | undefined,
    index: number,
    states: readonly number[],
    made: readonly ValueId[],
    rounds: Dim,
  ): ValueId | undefined {
    switch (one?.kind) {
      case "kept":
        return inputOf(this.#node, index + 2);
      case "counter": {
        if (typeof rounds !== "number") return undefined;
        const init = this.#graph.constant(inputOf(this.#node, index + 2));
        const last = numbered(init?.dtype, init?.dims ?? [], [one.first + one.step * rounds]);
        return this.#editor.constant("count", last, this.#into);
      }
      case "state":
        return made[states.indexOf(index)];
      case undefined:
        return made[states.length + index - this.#loop.carried.length];
      default:
        return one satisfies never;
    }
  }

  #set(from: ValueId | undefined, to: ValueId | undefined): void {
    if (from !== undefined && to !== undefined) this.#values.set(from, to);
  }

  /** A state, in the shape that it has at first. */
  #input(at: number): void {
    const own = this.#loop.body.inputs[at + 2];
    const first = inputOf(this.#node, at + 2);
    if (own === undefined || first === undefined) return;
    const { type } = this.#graph.value(first);
    this.#set(own, this.#editor.addInput(this.#graph.value(own).name, type, this.#body));
  }

  /** In order, along the first axis. */
  #rowsOf({ of, axis, indices }: Row): ValueId {
    const rank = shapeOf(this.#graph, of)?.length ?? 0;
    const others = Array.from({ length: rank }, (_, at) => at).filter((at) => at !== axis);
    const perm = attribute.ints([axis, ...others]);
    const rows =
      axis === 0 ? of : this.#editor.add1("Transpose", [of], { perm }, { body: this.#into });
    if (indices === undefined) return rows;
    const places = this.#editor.constant("rows", Tensor.int64(indices), this.#into);
    return this.#editor.add1("Gather", [rows, places], {}, { body: this.#into });
  }

  /** What the body has a row of, as which of its values. */
  #row(as: ValueId, rows: ValueId, { of, axis }: Row): ValueId {
    const shape = shapeOf(this.#graph, of)?.filter((_, at) => at !== axis);
    const type = tensorType(dtypeOf(this.#graph, of), shape);
    const own = this.#editor.addInput(this.#graph.value(as).name, type, this.#body);
    this.#scanned.push(rows);
    this.#values.set(as, own);
    return own;
  }

  /** The number of the round, or what counts with it. */
  #rounds(
    { first, step }: { readonly first: number; readonly step: number },
    dtype: "int32" | "int64",
    as?: ValueId,
  ): ValueId {
    const { rounds } = this.#loop;
    if (typeof rounds !== "number") throw new RangeError("Nobody knows how many rounds there are.");
    const each = Array.from({ length: rounds }, (_, round) => first + step * round);
    const all = this.#editor.constant("rounds", numbered(dtype, [rounds], each), this.#into);
    if (as !== undefined) return this.#row(as, all, { of: all, axis: 0 });
    this.#scanned.push(all);
    return this.#editor.addInput("round", tensorType(dtype, []), this.#body);
  }

  #copy(node: Node): void {
    const outputs = this.#editor.addNode(
      node.op,
      node.inputs.map((id) => (id === null ? null : this.#inside(id))),
      Object.fromEntries(node.attributes),
      {
        body: this.#body,
        domain: node.domain,
        name: node.name,
        outputs: node.outputs.map((id) => (id === null ? null : this.#graph.value(id).name)),
      },
    ).outputs;
    for (const [at, id] of node.outputs.entries()) {
      const own = outputs[at];
      if (id !== null && own !== null && own !== undefined) this.#values.set(id, own);
    }
  }

  /** As the Scan's body knows it. */
  #inside(id: ValueId): ValueId {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const { body, carried } = this.#loop;
    const { name, constant, body: home } = this.#graph.value(id);
    if (home !== body.id) return id;
    if (constant !== undefined) {
      const own = this.#editor.constant(name, constant, this.#body);
      this.#values.set(id, own);
      return own;
    }
    const at = body.inputs.indexOf(id);
    if (at === 0) return this.#rounds({ first: 0, step: 1 }, "int64", id);
    const one = carried[at - 2];
    if (one?.kind === "counter")
      return this.#rounds(one, dtypeOf(this.#graph, id) === "int32" ? "int32" : "int64", id);
    const goesOn = Tensor.of("bool", [], Uint8Array.of(1));
    return this.#editor.constant(name, goesOn, this.#body);
  }

  /** A body's results are made by nodes of it, each by one. */
  #result(id: ValueId | undefined): ValueId {
    if (id === undefined)
      throw new RangeError("A loop has fewer results than it was said to have.");
    return this.#editor.add1("Identity", [this.#inside(id)], {}, { body: this.#body });
  }
}

function numbered(
  dtype: string | undefined,
  dims: readonly number[],
  numbers: readonly number[],
): Tensor {
  return dtype === "int32"
    ? Tensor.of("int32", dims, Int32Array.from(numbers))
    : Tensor.int64(numbers, dims);
}
