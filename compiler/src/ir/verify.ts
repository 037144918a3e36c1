import { PareError } from "@pare/runtime/format";
import type { Graph } from "./graph.js";
import type { BodyId, ValueId } from "./ids.js";
import { bodiesOf, type Body, type Node, type Value } from "./model.js";
import { canonicalOrder } from "./order.js";
import type { Use } from "./uses.js";

/**
 * Checks that a graph is well-formed: ids lead where they should, uses and readers agree, what is read is in scope and
 * comes first, bodies belong to the nodes that hold them.
 * @throws PareError PASS_FAILED naming `where` (pass » rule) and the first thing that is wrong
 */
export function verifyGraph(graph: Graph, where = "the graph"): void {
  const fail = (problem: string): never => {
    throw new PareError("PASS_FAILED", `${where} left the graph broken: ${problem}.`, { where });
  };
  const reached = new Set<BodyId>();
  const uses = new Map<ValueId, Use[]>();
  const use = (id: ValueId, by: Use, scope: ReadonlySet<BodyId>, reader: string): void => {
    if (!graph.hasValue(id)) fail(`${reader} reads a value that is not there`);
    const value = graph.value(id);
    if (!scope.has(value.body)) fail(`${reader} reads ${nameOf(value)}, which it cannot see`);
    const known = uses.get(id);
    if (known === undefined) uses.set(id, [by]);
    else known.push(by);
  };
  const visit = (body: Body, owner: Node | undefined, outer: ReadonlySet<BodyId>): void => {
    if (reached.has(body.id)) fail(`the body ${body.name} is held twice`);
    reached.add(body.id);
    if (body.owner !== (owner?.id ?? null))
      fail(`the body ${body.name} has another owner than the node that holds it`);
    const scope = new Set(outer).add(body.id);
    for (const id of body.inputs) {
      checkSource(graph, body, id, "input", fail);
      if (!graph.value(id).isInput)
        fail(`${nameOf(graph.value(id))} does not know that it is an input`);
    }
    for (const id of body.initializers) {
      checkSource(graph, body, id, "initializer", fail);
      if (graph.value(id).constant === undefined)
        fail(`the initializer ${graph.value(id).name} has no tensor`);
    }
    for (const id of body.nodes) {
      if (!graph.hasNode(id)) fail(`the body ${body.name} lists a node that is not there`);
      const node = graph.node(id);
      const label = labelOf(node);
      if (node.body !== body.id) fail(`${label} is listed in another body than its own`);
      node.inputs.forEach((input, index) => {
        if (input !== null) use(input, { kind: "node", node: id, index }, scope, label);
      });
      for (const output of node.outputs) {
        if (output !== null) checkOutput(graph, node, output, fail);
      }
      for (const inner of bodiesOf(node)) {
        if (graph.body(inner.id) !== inner) fail(`${label} holds a body of another graph`);
        visit(inner, node, scope);
      }
    }
    body.outputs.forEach((id, index) =>
      use(id, { kind: "output", body: body.id, index }, scope, `output ${index} of ${body.name}`),
    );
    canonicalOrder(graph, body);
  };
  visit(graph.main, undefined, new Set());
  checkTables(graph, reached, uses, fail);
}

type Fail = (problem: string) => never;

function checkSource(graph: Graph, body: Body, id: ValueId, kind: string, fail: Fail): void {
  if (!graph.hasValue(id)) fail(`the body ${body.name} lists an ${kind} that is not there`);
  const value = graph.value(id);
  if (value.body !== body.id) fail(`the ${kind} ${nameOf(value)} belongs to another body`);
  if (value.producer !== null) fail(`the ${kind} ${nameOf(value)} is made by a node`);
}

function checkOutput(graph: Graph, node: Node, id: ValueId, fail: Fail): void {
  const label = labelOf(node);
  if (!graph.hasValue(id)) fail(`${label} makes a value that is not there`);
  const value = graph.value(id);
  if (value.producer !== node.id) fail(`${nameOf(value)} does not know that ${label} makes it`);
  if (value.body !== node.body) fail(`${nameOf(value)} is in another body than ${label}`);
  if (node.outputs.filter((output) => output === id).length > 1)
    fail(`${label} makes ${nameOf(value)} twice`);
}

/** Nothing is left over, and every value knows its readers. */
function checkTables(
  graph: Graph,
  reached: ReadonlySet<BodyId>,
  uses: ReadonlyMap<ValueId, readonly Use[]>,
  fail: Fail,
): void {
  const inputs = new Set([...graph.allBodies()].flatMap((body) => body.inputs));
  for (const body of graph.allBodies())
    if (!reached.has(body.id)) fail(`the body ${body.name} belongs to no node`);
  for (const node of graph.allNodes()) {
    if (!reached.has(node.body) || !graph.body(node.body).nodes.has(node.id))
      fail(`${labelOf(node)} is in no body`);
  }
  for (const value of graph.allValues()) {
    const body = reached.has(value.body) ? graph.body(value.body) : undefined;
    const listed =
      value.producer === null
        ? value.isInput
          ? inputs.has(value.id)
          : body?.initializers.has(value.id)
        : graph.hasNode(value.producer) && graph.node(value.producer).outputs.includes(value.id);
    if (listed !== true) fail(`nothing makes ${nameOf(value)}`);
    const known = [...value.uses].map(useKey).sort();
    const found = (uses.get(value.id) ?? []).map(useKey).sort();
    if (known.join() !== found.join())
      fail(`${nameOf(value)} is read by [${found.join(", ")}], but knows of [${known.join(", ")}]`);
  }
}

function useKey(use: Use): string {
  return use.kind === "node" ? `node ${use.node}:${use.index}` : `body ${use.body}:${use.index}`;
}

function nameOf(value: Value): string {
  return value.name === "" ? `value ${value.id}` : value.name;
}

/** Not the graph's own label: that looks at values, which may be gone. */
function labelOf(node: Node): string {
  return node.name === "" ? `${node.op} #${node.id}` : node.name;
}
