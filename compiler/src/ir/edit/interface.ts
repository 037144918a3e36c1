import type { Graph } from "../graph.js";
import type { ValueId } from "../ids.js";
import { typeText, type ValueType } from "../type.js";

/** What of the model others rely on. */
export interface Interface {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

interface Port {
  /** An input's identity; an output may come from elsewhere. */
  readonly id: ValueId | undefined;
  readonly name: string;
  readonly type: ValueType;
}

export function interfaceOf(graph: Graph): Interface {
  const port = (id: ValueId): Port => ({ id, ...named(graph, id) });
  const output = (id: ValueId): Port => ({ id: undefined, ...named(graph, id) });
  return { inputs: graph.main.inputs.map(port), outputs: graph.main.outputs.map(output) };
}

function named(graph: Graph, id: ValueId): { name: string; type: ValueType } {
  const { name, type } = graph.value(id);
  return { name, type };
}

/** How an interface changed, or undefined. */
export function interfaceChange(before: Interface, after: Interface): string | undefined {
  return (
    portChange("input", before.inputs, after.inputs) ??
    portChange("output", before.outputs, after.outputs)
  );
}

function portChange(
  kind: string,
  before: readonly Port[],
  after: readonly Port[],
): string | undefined {
  if (before.length !== after.length)
    return `the number of ${kind}s from ${before.length} to ${after.length}`;
  for (const [index, old] of before.entries()) {
    const now = after[index];
    if (now === undefined || old.id !== now.id || old.name !== now.name)
      return `${kind} ${index} from ${JSON.stringify(old.name)} to ${JSON.stringify(now?.name)}`;
    if (contradicts(old.type, now.type))
      return `${kind} ${index} from ${typeText(old.type)} to ${typeText(now.type)}`;
  }
  return undefined;
}

/** Do two types exclude each other: another kind, dtype, rank or number? */
function contradicts(before: ValueType, after: ValueType): boolean {
  if (before.kind === "unknown" || after.kind === "unknown") return false;
  if (before.kind !== after.kind) return true;
  if (before.kind !== "tensor" || after.kind !== "tensor") return false;
  if (before.dtype !== undefined && after.dtype !== undefined && before.dtype !== after.dtype)
    return true;
  if (before.shape === undefined || after.shape === undefined) return false;
  const { shape } = after;
  return (
    before.shape.length !== shape.length ||
    before.shape.some(
      (dim, axis) =>
        typeof dim === "number" && typeof shape[axis] === "number" && dim !== shape[axis],
    )
  );
}
