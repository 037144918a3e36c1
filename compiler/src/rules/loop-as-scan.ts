import {
  attribute,
  type Body,
  type Dim,
  dim,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  tensorType,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { BodyCopy } from "./body-copy.js";
import type { Counter } from "./loop-rounds.js";
import { dtypeOf, inputOf } from "./pattern.js";

/** What a Loop carries from one round to the next. */
export type Carried =
  | (Counter & { readonly kind: "counter" })
  | { readonly kind: "kept" }
  | { readonly kind: "state" };

export interface CountedLoop {
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

export interface Row {
  readonly of: ValueId;
  /** Along which they lie. */
  readonly axis: number;
  /** Absent: all of them, in order. */
  readonly indices?: readonly number[];
}

/** Writes a loop as a Scan. */
export class AsScan {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #node: Node;
  readonly #loop: CountedLoop;
  readonly #into: Body;
  readonly #body: Body;
  readonly #copy: BodyCopy;
  readonly #scanned: ValueId[] = [];

  constructor(graph: Graph, editor: Editor, node: Node, loop: CountedLoop) {
    this.#graph = graph;
    this.#editor = editor;
    this.#node = node;
    this.#loop = loop;
    this.#into = graph.body(node.body);
    this.#body = editor.addBody("rows");
    this.#copy = new BodyCopy(graph, editor, loop.body, this.#body, (id) => this.#ofRound(id));
  }

  write(because: string): void {
    const { body, carried, needed, rows, rounds } = this.#loop;
    const states = carried.flatMap(({ kind }, at) => (kind === "state" ? [at] : []));
    for (const at of states) this.#input(at);
    for (const [at, { kind }] of carried.entries()) if (kind === "kept") this.#keep(at);
    for (const [one, row] of rows) {
      const [output] = one.outputs;
      if (output !== null && output !== undefined) this.#row(output, this.#rowsOf(row), row);
    }
    for (const one of needed) if (!rows.has(one)) this.#copy.copy(one);
    if (this.#scanned.length === 0) this.#rounds({ first: 0, step: 1 }, "int64");
    const finals = states.map((at) => this.#result(body.outputs[at + 1]));
    const results = body.outputs.slice(carried.length + 1).map((id) => this.#result(id));
    this.#demandShapes(states, finals, results);
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

  /**
   * A Scan's states keep their shapes; what a loop makes of them is known once it is written with those that they have at first.
   * Of what it stacks, engines have to know how many axes it has.
   */
  #demandShapes(
    states: readonly number[],
    finals: readonly ValueId[],
    results: readonly ValueId[],
  ): void {
    this.#editor.inferTypes();
    if (results.some((id) => shapeOf(this.#graph, id) === undefined))
      this.#editor.refuse("how many axes the loop's results have");
    for (const [index, at] of states.entries()) {
      const [first, after] = [inputOf(this.#node, at + 2), finals[index]].map((id) => shapeOf(this.#graph, id)); // prettier-ignore
      const isKept = after?.every(
        (size, axis) =>
          size === first?.[axis] || (typeof first?.[axis] !== "number" && isName(size)),
      );
      if (isKept !== true || after?.length !== first?.length)
        this.#editor.refuse(`the shape of the loop's state ${at + 1}`);
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

  /** What stays as it is outside. */
  #keep(at: number): void {
    const own = this.#loop.body.inputs[at + 2];
    const outside = inputOf(this.#node, at + 2);
    if (own !== undefined && outside !== undefined) this.#copy.set(own, outside);
  }

  /** A state, in the shape that it has at first. */
  #input(at: number): void {
    const own = this.#loop.body.inputs[at + 2];
    const first = inputOf(this.#node, at + 2);
    if (own === undefined || first === undefined) return;
    const { type } = this.#graph.value(first);
    this.#copy.set(own, this.#editor.addInput(this.#graph.value(own).name, type, this.#body));
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
    this.#copy.set(as, own);
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

  /** What of the loop's body differs from round to round by nothing but its number. */
  #ofRound(id: ValueId): ValueId {
    const { body, carried } = this.#loop;
    const at = body.inputs.indexOf(id);
    if (at === 0) return this.#rounds({ first: 0, step: 1 }, "int64", id);
    const one = carried[at - 2];
    if (one?.kind === "counter")
      return this.#rounds(one, dtypeOf(this.#graph, id) === "int32" ? "int32" : "int64", id);
    const goesOn = Tensor.of("bool", [], Uint8Array.of(1));
    return this.#editor.constant(this.#graph.value(id).name, goesOn, this.#body);
  }

  /** A body's results are made by nodes of it, each by one. */
  #result(id: ValueId | undefined): ValueId {
    if (id === undefined)
      throw new RangeError("A loop has fewer results than it was said to have.");
    return this.#editor.add1("Identity", [this.#copy.of(id)], {}, { body: this.#body });
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

/** Is a size nothing but a name: one that nobody knows? */
export function isName(size: Dim): boolean {
  const [name, ...more] = dim.symbolsOf(size);
  return name !== undefined && more.length === 0 && dim.symbol(name) === size;
}
