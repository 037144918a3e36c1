import { PareError } from "@pare/runtime/format";
import type { Graph } from "../graph.js";
import type { BodyId, NodeId, ValueId } from "../ids.js";
import type { OrderedSet } from "../ordered-map.js";
import { InterfaceGuard } from "./interface.js";
import type { GraphTables, MutableBody, MutableNode, MutableValue } from "../model.js";
import type { ValueType } from "../type.js";
import { type Use, UseList } from "../uses.js";

export interface EditOptions {
  /** The pass declares that it changes the model's own inputs or outputs. */
  readonly interface?: boolean;
  /** What takes a value's place is of a type that does not contradict the value's, or the transaction fails. */
  readonly keepsTypes?: boolean;
}

/** The primitives under the Editor. Each records how to undo itself. */
export class Transaction {
  protected readonly graph: Graph;
  protected readonly tables: GraphTables;
  protected readonly rule: string;
  /** Undefined where the pass declares that it changes the model's own inputs or outputs. */
  protected readonly guard: InterfaceGuard | undefined;
  protected readonly keepsTypes: boolean;
  /** Nodes whose outputs' types are to be inferred again. */
  protected readonly dirty = new Set<NodeId>();
  /** Values that lost a reader. */
  protected readonly released = new Set<ValueId>();
  protected touched = 0;
  readonly #undo: (() => void)[] = [];

  constructor(graph: Graph, tables: GraphTables, rule: string, options: EditOptions) {
    this.graph = graph;
    this.tables = tables;
    this.rule = rule;
    this.guard = options.interface === true ? undefined : new InterfaceGuard(graph);
    this.keepsTypes = options.keepsTypes === true;
  }

  /** Called when the transaction fails. */
  rollback(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo.length = 0;
    this.tables.version += 1;
  }

  /** Called at every mutation: how it is undone. */
  protected undo(step: () => void): void {
    this.#undo.push(step);
    this.tables.version += 1;
  }

  /** Puts a node or an initializer into a body's list. */
  protected enlist<Id>(list: OrderedSet<Id>, id: Id): void {
    if (list.has(id)) return;
    list.add(id);
    this.undo(() => list.delete(id));
  }

  /** Takes a node or an initializer out of a body's list. */
  protected strike<Id>(list: OrderedSet<Id>, id: Id): void {
    const putBack = list.delete(id);
    if (putBack !== undefined) this.undo(putBack);
  }

  protected own(bodyId: BodyId, owner: NodeId): void {
    const body = this.mutableBody(bodyId);
    const before = body.owner;
    body.owner = owner;
    this.undo(() => (body.owner = before));
  }

  protected makeValue(
    name: string,
    type: ValueType,
    body: BodyId,
    producer: NodeId | null,
  ): ValueId {
    const id = this.newId() as ValueId;
    this.tables.values.set(id, {
      id,
      name,
      type,
      elements: undefined,
      constant: undefined,
      producer,
      body,
      isInput: false,
      uses: new UseList(),
    });
    this.undo(() => this.tables.values.delete(id));
    return id;
  }

  protected deleteValue(id: ValueId): void {
    const value = this.mutableValue(id);
    this.tables.values.delete(id);
    this.undo(() => this.tables.values.set(id, value));
  }

  protected use(id: ValueId, use: Use): void {
    const { uses } = this.mutableValue(id);
    uses.add(use);
    this.undo(() => uses.remove(use));
  }

  protected unuse(id: ValueId, use: Use): void {
    const value = this.tables.values.get(id);
    const putBack = value?.uses.remove(use);
    if (value === undefined || putBack === undefined) return;
    this.undo(putBack);
    if (value.uses.length === 0) this.released.add(id);
  }

  protected newId(): number {
    this.tables.next += 1;
    return this.tables.next;
  }

  protected mutableValue(id: ValueId): MutableValue {
    const value = this.tables.values.get(id);
    if (value === undefined)
      throw new PareError("INTERNAL", `${this.rule} uses a value that is not in the graph.`);
    return value;
  }

  protected mutableNode(id: NodeId): MutableNode {
    const node = this.tables.nodes.get(id);
    if (node === undefined)
      throw new PareError("INTERNAL", `${this.rule} uses a node that is not in the graph.`);
    return node;
  }

  protected mutableBody(id: BodyId): MutableBody {
    const body = this.tables.bodies.get(id);
    if (body === undefined)
      throw new PareError("INTERNAL", `${this.rule} uses a body that is not in the graph.`);
    return body;
  }
}
