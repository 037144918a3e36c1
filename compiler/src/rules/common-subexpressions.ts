import { bytesOf } from "@pare/runtime/format";
import {
  edit,
  type Attribute,
  bodiesOf,
  type Body,
  contentKey,
  type Graph,
  type Node,
  sameBytes,
  type Tensor,
  type TensorData,
  type ValueId,
} from "../ir/index.js";
import { operatorOf } from "../ops/index.js";

/** Seen so far, in this body and in those around it. */
interface Scope {
  readonly nodes: Map<string, Node>;
  readonly outer: Scope | undefined;
}

/**
 * Equal constants become one, then equal nodes: same operator, attributes and inputs. Inner bodies use what outer
 * ones have computed; what two branches share stays in both.
 */
export async function mergeCommonSubexpressions(graph: Graph): Promise<void> {
  await mergeConstants(graph, graph.main);
  mergeNodes(graph, graph.main, undefined);
}

function mergeNodes(graph: Graph, body: Body, outer: Scope | undefined): void {
  const scope: Scope = { nodes: new Map(), outer };
  for (const node of graph.order(body)) {
    if (!graph.hasNode(node.id)) continue;
    const inner = bodiesOf(node);
    for (const branch of inner) mergeNodes(graph, branch, scope);
    const operator = operatorOf(node);
    if (inner.length > 0 || operator?.schema.deterministic !== true) continue;
    const key = nodeKey(node);
    const same = key === undefined ? undefined : find(scope, key);
    if (key === undefined) continue;
    if (same === undefined || !graph.hasNode(same.id) || !replaces(graph, node, same))
      scope.nodes.set(key, node);
  }
}

function replaces(graph: Graph, node: Node, same: Node): boolean {
  const pairs = node.outputs.flatMap((output, index) => {
    const other = same.outputs[index] ?? null;
    return output === null ? [] : [{ output, other }];
  });
  if (pairs.some(({ other }) => other === null)) return false;
  // A body's output is made under its own name: a copy of a value that is an output too would need an Identity.
  const named = pairs.some(
    ({ output, other }) =>
      other !== null &&
      graph.isOutput(output) &&
      (graph.isOutput(other) || same.body !== node.body),
  );
  if (named) return false;
  edit(graph, "merge-equal-nodes", (editor) => {
    for (const { output, other } of pairs)
      if (other !== null) editor.replace(output, other, `the same as ${graph.nodeLabel(same)}`);
  });
  return true;
}

function find(scope: Scope | undefined, key: string): Node | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const node = at.nodes.get(key);
    if (node !== undefined) return node;
  }
  return undefined;
}

/** Undefined where an attribute cannot be compared. */
function nodeKey(node: Node): string | undefined {
  const attributes: string[] = [];
  for (const [name, value] of [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = attributeKey(value);
    if (text === undefined) return undefined;
    attributes.push(`${name}=${text}`);
  }
  return [
    node.domain,
    node.op,
    node.overload,
    node.inputs.join(),
    node.outputs.map((id) => (id === null ? "" : "o")).join(),
    ...attributes,
  ].join("|");
}

function attributeKey(attribute: Attribute): string | undefined {
  switch (attribute.type) {
    case "int":
    case "float":
      return `${attribute.type}:${numberKey(attribute.value)}`;
    case "string":
      return `s:${textKey(attribute.value)}`;
    case "strings":
      return `strings:${attribute.value.map(textKey).join()}`;
    case "ints":
    case "floats":
      return `${attribute.type}:${[...attribute.value].map(numberKey).join()}`;
    case "tensor":
      return attribute.value.data === undefined
        ? undefined
        : `${signature(attribute.value)}:${[...bytes(attribute.value.data)].join()}`;
    default:
      return undefined;
  }
}

/** A text that −0 has of its own. */
function numberKey(number: number | bigint): string {
  return Object.is(number, -0) ? "-0" : String(number);
}

/** Unlike that of any other text, or of bytes that are none, and of any two in a row. */
function textKey(text: string | Uint8Array): string {
  return JSON.stringify(typeof text === "string" ? text : [...text]);
}

/** Within a body, equal initializers become one; elements are read only of those that agree in type and dims. */
async function mergeConstants(graph: Graph, body: Body): Promise<void> {
  const groups = new Map<string, ValueId[]>();
  for (const id of constantsInOrder(graph, body)) {
    const tensor = graph.constant(id);
    if (tensor === undefined) continue;
    const key = signature(tensor);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [id]);
    else group.push(id);
  }
  for (const ids of groups.values()) if (ids.length > 1) await mergeEqual(graph, ids);
  for (const node of graph.order(body))
    for (const inner of bodiesOf(node)) await mergeConstants(graph, inner);
}

async function mergeEqual(graph: Graph, ids: readonly ValueId[]): Promise<void> {
  const seen = new Map<string, { readonly id: ValueId; readonly tensor: Tensor }[]>();
  for (const id of ids) {
    const tensor = graph.constant(id);
    if (tensor === undefined) continue;
    const key = await keyOf(tensor);
    const known = seen.get(key);
    const same = await firstEqual(known ?? [], tensor);
    if (known === undefined) seen.set(key, [{ id, tensor }]);
    else if (same === undefined) known.push({ id, tensor });
    else if (!graph.isOutput(id))
      edit(graph, "merge-equal-constants", (editor) => editor.replace(id, same, "equal"));
  }
}

/** Weights of equal layers are alike in all but their elements: of those that are compared two are in memory, of others none. */
async function firstEqual(
  known: readonly { readonly id: ValueId; readonly tensor: Tensor }[],
  tensor: Tensor,
): Promise<ValueId | undefined> {
  for (const { id, tensor: other } of known)
    if (other === tensor || sameBytes(bytes(await other.read()), bytes(await tensor.read())))
      return id;
  return undefined;
}

/** A body's initializers in the order in which its nodes first read them: independent of names and of the file. */
function constantsInOrder(graph: Graph, body: Body): readonly ValueId[] {
  const found = new Set<ValueId>();
  const visit = (inner: Body): void => {
    for (const node of graph.order(inner)) {
      for (const id of node.inputs) if (id !== null && body.initializers.has(id)) found.add(id);
      bodiesOf(node).forEach(visit);
    }
  };
  visit(body);
  return [...found];
}

function signature(tensor: Tensor): string {
  return `${tensor.dtype}[${tensor.dims.join()}]`;
}

function bytes(data: TensorData): Uint8Array {
  return ArrayBuffer.isView(data) ? bytesOf(data) : new TextEncoder().encode(JSON.stringify(data));
}

/** Tensors do not change, and all that is tried of a model shares them: each is read for this once. */
const keys = new WeakMap<Tensor, string>();

async function keyOf(tensor: Tensor): Promise<string> {
  const known = keys.get(tensor);
  if (known !== undefined) return known;
  const key = contentKey(bytes(await tensor.read()));
  keys.set(tensor, key);
  return key;
}
