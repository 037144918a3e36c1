import { PareError } from "@pare/runtime/format";
import type { NodeId, ValueId } from "../ids.js";
import type { Node } from "../model.js";
import { NodeEditor } from "./node-editor.js";
import type { Use } from "../uses.js";
import { contradicts, sameShape, sameType, tensorType, typeText, type ValueType } from "../type.js";

/** One transaction on a graph; see `edit`. */
export class Editor extends NodeEditor {
  /** What took a value's place, and of what type that was. */
  readonly #replaced: { readonly name: string; readonly type: ValueType; readonly by: ValueId }[] =
    [];
  readonly #entries: { what: "changed"; node: string; op: string; reason: string }[] = [];

  /**
   * Lets every reader of `old` read `by` instead. Nodes that this transaction added and that `by` is made of keep
   * reading `old`: what is put behind a value may begin with it. A body's output keeps its name.
   */
  replace(old: ValueId, by: ValueId, because: string): void {
    if (old === by) return;
    const producer = this.graph.producer(old);
    if (producer !== undefined) this.note(producer, because);
    const makers = this.#addedBetween(old, by);
    const { name, type, uses } = this.mutableValue(old);
    if (this.keepsTypes) this.#replaced.push({ name, type, by });
    const output = uses.isOutput ? this.#asOutput(old, by) : by;
    // Of what reads thousands of values each is replaced by itself: it is not inferred thousands of times.
    const isAlike = this.#isAlike(old, by);
    for (const use of Array.from(uses)) {
      if (use.kind === "output") this.putOutput(use.body, use.index, output);
      else if (!makers.has(use.node)) this.putInput(use.node, use.index, by, isAlike);
    }
    this.released.add(old);
  }

  /** Does inference see the same in both? */
  #isAlike(one: ValueId, other: ValueId): boolean {
    const [a, b] = [this.mutableValue(one), this.mutableValue(other)];
    return (
      a.constant === undefined &&
      b.constant === undefined &&
      a.type.kind !== "unknown" &&
      sameType(a.type, b.type) &&
      sameShape(a.elements, b.elements)
    );
  }

  /** `by`, or a copy of it where it cannot take the place and the name of the output `old`. */
  #asOutput(old: ValueId, by: ValueId): ValueId {
    const from = this.mutableValue(old);
    const to = this.mutableValue(by);
    if (to.producer !== null && to.body === from.body && !to.uses.isOutput) {
      this.rename(by, from.name);
      return by;
    }
    const producer = this.graph.producer(old);
    if (producer?.op === "Identity" && producer.inputs[0] === by) return old;
    const body = this.graph.body(from.body);
    return this.add1("Identity", [by], {}, { body, outputs: [from.name] });
  }

  /** The nodes added in this transaction that lead from one value to another; none where none of them reads the first. */
  #addedBetween(from: ValueId, to: ValueId): ReadonlySet<NodeId> {
    const found = new Set<NodeId>();
    const reads = (use: Use): boolean => use.kind === "node" && this.added.has(use.node);
    const open: (ValueId | null)[] = this.mutableValue(from).uses.some(reads) ? [to] : [];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const producer = id === from ? undefined : this.graph.producer(id);
      if (producer === undefined || found.has(producer.id) || !this.added.has(producer.id))
        continue;
      found.add(producer.id);
      for (const input of producer.inputs) open.push(input);
    }
    return found;
  }

  /** Says in the journal what was done to a node and why. */
  note(node: Node, reason: string): void {
    this.#entries.push({ what: "changed", node: this.graph.nodeLabel(node), op: node.op, reason });
  }

  /** @throws PareError PASS_FAILED always: the transaction is undone */
  refuse(change: string): never {
    throw new PareError("PASS_FAILED", `${this.rule} would change ${change}.`, {
      where: this.rule,
    });
  }

  /** Called by `edit`: infers types again, drops what lost its last use, checks the model's interface. */
  commit(): void {
    this.#sweep();
    this.inferTypes();
    const change = this.guard?.change() ?? this.#contradiction();
    if (change !== undefined) this.refuse(change);
    if (this.touched > 0) this.tables.changes += 1;
    for (const entry of this.#entries) this.graph.journal.push({ rule: this.rule, ...entry });
  }

  /** Which value's type is another than what took its place has. */
  #contradiction(): string | undefined {
    for (const { name, type, by } of this.#replaced) {
      const now = this.tables.values.get(by)?.type;
      if (now !== undefined && contradicts(type, now))
        return `${JSON.stringify(name)} from ${typeText(type)} to ${typeText(now)}`;
    }
    return undefined;
  }

  #sweep(): void {
    for (const id of this.released) {
      const value = this.tables.values.get(id);
      if (value === undefined || value.uses.length > 0) continue;
      if (value.producer !== null) {
        const node = this.tables.nodes.get(value.producer);
        if (
          node !== undefined &&
          node.outputs.every(
            (output) => output === null || this.mutableValue(output).uses.length === 0,
          )
        )
          this.remove(node.id);
      } else if (value.constant !== undefined && !value.isInput) {
        this.strike(this.mutableBody(value.body).initializers, id);
        this.deleteValue(id);
      }
    }
  }

  /** Infers types of what was written so far; a rewrite that is not sure before it knows them asks for it, too. */
  inferTypes(): void {
    const limit = 64 * (this.tables.nodes.size + 1);
    let steps = 0;
    for (const id of this.dirty) {
      this.dirty.delete(id);
      const node = this.tables.nodes.get(id);
      if (node === undefined) continue;
      steps += 1;
      if (steps > limit)
        throw new PareError(
          "INTERNAL",
          `Type inference does not come to an end after ${this.rule}.`,
        );
      this.graph.infer(this.graph, node).forEach((inferred, index) => {
        const output = node.outputs[index];
        if (inferred === undefined || output === undefined || output === null) return;
        const value = this.mutableValue(output);
        const type = refined(value.type, inferred.type);
        if (sameType(type, value.type) && sameShape(inferred.elements, value.elements)) return;
        this.setType(output, type, inferred.elements);
        // A body's output types its owner's output.
        for (const use of value.uses) {
          const owner = use.kind === "output" ? this.mutableBody(use.body).owner : null;
          if (owner !== null) this.dirty.add(owner);
        }
      });
    }
  }
}

/** What inference found, completed by what was known where inference found nothing. */
function refined(known: ValueType, found: ValueType): ValueType {
  if (found.kind === "unknown") return known;
  if (found.kind !== "tensor" || known.kind !== "tensor") return found;
  if (found.shape !== undefined)
    return found.dtype === undefined ? tensorType(known.dtype, found.shape) : found;
  return tensorType(found.dtype ?? known.dtype, known.shape);
}
