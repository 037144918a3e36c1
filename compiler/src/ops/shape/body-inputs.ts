import {
  bodiesOf,
  type Body,
  dim,
  type Editor,
  type Graph,
  type Node,
  sameType,
  tensorType,
  type Value,
  type ValueType,
} from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { attributeReader } from "../schema/attributes.js";

/**
 * Gives the inputs of a Loop's or Scan's body the types that the node hands them, where the file says nothing. What a
 * loop carries from one round to the next may change its shape, also where the file says one: exporters write down the first
 * round's. `settle` infers the body's nodes, and where what it gives differs from what it got, the difference becomes unknown
 * and the body is inferred again.
 * @param mayGoOn false where that was done too often: inputs stay as the file has them then
 * @returns whether the body is settled
 */
export function typeBodyInputs(
  graph: Graph,
  editor: Editor,
  node: Node,
  settle: (body: Body) => void,
  mayGoOn: () => boolean,
): boolean {
  const attribute = node.attributes.get("body");
  if (attribute?.type !== "graph") return false;
  const body = attribute.value;
  const handed =
    node.op === "Loop"
      ? loopInputs(graph, node)
      : node.op === "Scan"
        ? scanInputs(graph, node)
        : [];
  const carriedAt = node.op === "Loop" ? 1 : 0;
  const open = body.inputs.flatMap((id, index) => {
    const before = graph.value(id).type;
    const type = isOpen(before) ? handed[index] : isState(node, index) ? before : undefined;
    return type === undefined ? [] : [{ id, index, before, type }];
  });
  if (open.length === 0 || !mayGoOn()) return false;
  let declared = typesWithin(graph, body);
  for (const { id, type } of open) editor.setType(id, type);
  // Each round can only forget more: a dim, a rank, a dtype.
  for (;;) {
    settle(body);
    const changed = open.flatMap(({ id, index }) => {
      const output = body.outputs[node.op === "Loop" ? index - carriedAt : index];
      if (index < carriedAt || output === undefined || index >= carriedCount(node, body)) return [];
      const before = graph.value(id).type;
      const type = agreed(before, graph.value(output).type);
      return sameType(before, type) ? [] : [{ id, type }];
    });
    if (changed.length === 0) return true;
    // Where the file is wrong of a state, it may be of all that it says within.
    if (changed.some(({ id }) => open.some((one) => one.id === id && !isOpen(one.before))))
      declared = declared.map(({ id, type }) => ({
        id,
        type: shapeless(type),
        elements: undefined,
      }));
    // What followed from types that are given up is given up with them.
    for (const { id, type, elements } of declared) editor.setType(id, type, elements);
    if (!mayGoOn()) {
      for (const { id, before } of open) editor.setType(id, before);
      return false;
    }
    for (const { id, type } of changed) editor.setType(id, type);
  }
}

/** What is known of the results of a body's nodes, and of all in the bodies that these hold. */
function typesWithin(graph: Graph, body: Body): readonly Pick<Value, "id" | "type" | "elements">[] {
  return graph.order(body).flatMap((node) => {
    const inner = bodiesOf(node);
    const made = [...node.outputs, ...inner.flatMap(({ inputs }) => inputs)].flatMap((id) => {
      if (id === null) return [];
      const { type, elements } = graph.value(id);
      return [{ id, type, elements }];
    });
    return [...made, ...inner.flatMap((nested) => typesWithin(graph, nested))];
  });
}

function shapeless(type: ValueType): ValueType {
  return type.kind === "tensor" ? tensorType(type.dtype, undefined) : type;
}

/** Inputs of the body that its outputs feed again; those before them are the loop's own. */
function carriedCount(node: Node, body: Body): number {
  const scans = attributeReader(node.attributes).int("num_scan_inputs", 0);
  return node.op === "Loop" ? body.inputs.length : body.inputs.length - scans;
}

/** A Scan's states have to keep their shapes. */
function isState(node: Node, index: number): boolean {
  return node.op === "Loop" && index >= 2;
}

function isOpen(type: ValueType): boolean {
  return (
    type.kind === "unknown" ||
    (type.kind === "tensor" && (type.dtype === undefined || type.shape === undefined))
  );
}

function typeOf(graph: Graph, node: Node, input: number): ValueType | undefined {
  const id = node.inputs[input];
  return id === undefined || id === null ? undefined : graph.value(id).type;
}

function loopInputs(graph: Graph, node: Node): readonly (ValueType | undefined)[] {
  const carried = node.inputs.slice(2).map((_, index) => typeOf(graph, node, index + 2));
  return [tensorType("int64", []), tensorType("bool", []), ...carried];
}

function scanInputs(graph: Graph, node: Node): readonly (ValueType | undefined)[] {
  const attributes = attributeReader(node.attributes);
  const states = node.inputs.length - attributes.int("num_scan_inputs", 0);
  const inputAxes = attributes.ints("scan_input_axes");
  return node.inputs.map((_, index) => {
    const type = typeOf(graph, node, index);
    if (index < states || type?.kind !== "tensor" || type.shape === undefined) return type;
    const axis = normalAxis(inputAxes?.[index - states] ?? 0, type.shape.length);
    return tensorType(
      type.dtype,
      type.shape.filter((_, at) => at !== axis),
    );
  });
}

/** What holds of a type before and after a round. */
function agreed(before: ValueType, after: ValueType): ValueType {
  if (before.kind !== "tensor" || before.shape === undefined) return before;
  const other = after.kind === "tensor" ? after.shape : undefined;
  if (other?.length !== before.shape.length) return tensorType(before.dtype, undefined);
  return tensorType(
    before.dtype,
    before.shape.map((size, axis) =>
      size === other[axis] || dim.isUnknown(size) ? size : dim.unknown(),
    ),
  );
}
