import type { Graph } from "../graph.js";
import type { BodyId, ValueId } from "../ids.js";
import { contradicts, typeText, type ValueType } from "../type.js";

/** What others rely on of an input or an output. */
interface Port {
  /** An input's identity; an output may come from elsewhere. */
  readonly id: ValueId | undefined;
  readonly name: string;
  readonly type: ValueType;
}

type Ports = Map<number, Port>;

/**
 * Watches the model's own inputs and outputs during one transaction, and remembers of them what is about to change: a
 * model may have as many outputs as nodes, and most edits touch none.
 */
export class InterfaceGuard {
  readonly #graph: Graph;
  readonly #before: { readonly input: Ports; readonly output: Ports } = {
    input: new Map(),
    output: new Map(),
  };
  #counts: { readonly input: number; readonly output: number } | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Before inputs or outputs of a body come or go. */
  beforeCount(body: BodyId): void {
    const { main } = this.#graph;
    if (body !== main.id || this.#counts !== undefined) return;
    this.#counts = { input: main.inputs.length, output: main.outputs.length };
    main.inputs.forEach((id, index) => this.#remember("input", index, id));
    main.outputs.forEach((_, index) => this.beforeOutput(body, index));
  }

  /** Before an output of a body is another value. */
  beforeOutput(body: BodyId, index: number): void {
    const { main } = this.#graph;
    const id = main.outputs[index];
    if (body === main.id && id !== undefined) this.#remember("output", index, id);
  }

  /** Before a value's name or type changes. */
  beforeValue(id: ValueId): void {
    const { main } = this.#graph;
    const value = this.#graph.value(id);
    if (value.isInput && value.body === main.id)
      this.#remember("input", main.inputs.indexOf(id), id);
    if (!value.uses.isOutput) return;
    for (const use of value.uses) if (use.kind === "output") this.beforeOutput(use.body, use.index);
  }

  /** How the interface changed, or undefined. */
  change(): string | undefined {
    return this.#change("input") ?? this.#change("output");
  }

  #remember(kind: "input" | "output", index: number, id: ValueId): void {
    const ports = this.#before[kind];
    // Once inputs or outputs came or went, positions are no longer those of before.
    if (ports.has(index) || (this.#counts !== undefined && index >= this.#counts[kind])) return;
    const { name, type } = this.#graph.value(id);
    ports.set(index, { id: kind === "input" ? id : undefined, name, type });
  }

  #change(kind: "input" | "output"): string | undefined {
    const { main } = this.#graph;
    const now = kind === "input" ? main.inputs : main.outputs;
    const count = this.#counts?.[kind] ?? now.length;
    if (count !== now.length) return `the number of ${kind}s from ${count} to ${now.length}`;
    const indices = [...this.#before[kind].keys()].sort((a, b) => a - b);
    for (const index of indices) {
      const old = this.#before[kind].get(index);
      const id = now[index];
      const value = id === undefined ? undefined : this.#graph.value(id);
      if (old === undefined || value === undefined) continue;
      if ((old.id !== undefined && old.id !== id) || old.name !== value.name)
        return `${kind} ${index} from ${JSON.stringify(old.name)} to ${JSON.stringify(value.name)}`;
      if (contradicts(old.type, value.type))
        return `${kind} ${index} from ${typeText(old.type)} to ${typeText(value.type)}`;
    }
    return undefined;
  }
}
