import {
  bodiesOf,
  type Body,
  edit,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  sameType,
  Tensor,
  type ValueId,
  shapeOf,
} from "../../ir/index.js";
import { BodyCopy } from "../../rules/body-copy.js";
import { dtypeOf, inputOf, staticCount } from "../../rules/pattern.js";

const rule = "both-branches";

/**
 * Computes both branches of an If and takes the results of one, for who has no branches. As far as either may be computed
 * whatever is asked for, and both give the same sizes.
 * @param leaves which stay though they could be written: what decides them may never change
 * @returns why others stay
 */
export function bothBranches(
  graph: Graph,
  leaves: (node: Node) => boolean,
): ReadonlyMap<NodeId, string> {
  const left = new Map<NodeId, string>();
  const depths = [...graph.allNodes()]
    .filter(({ op, domain }) => op === "If" && domain === "")
    .map((node) => [node, depthOf(graph, node)] as const);
  // What lies in a branch of another is written before that is.
  for (const [node] of depths.toSorted(([, one], [, other]) => other - one)) {
    if (leaves(node)) continue;
    const why = whyNot(graph, node);
    if (why === null) edit(graph, rule, (editor) => write(graph, editor, node));
    else left.set(node.id, why);
  }
  return left;
}

/** In so many bodies does it lie. */
function depthOf(graph: Graph, node: Node): number {
  let depth = 0;
  for (let { owner } = graph.body(node.body); owner !== null; depth += 1)
    ({ owner } = graph.body(graph.node(owner).body));
  return depth;
}

function holdsBodies(graph: Graph, body: Body): boolean {
  return [...body.nodes].some((id) => bodiesOf(graph.node(id)).length > 0);
}

function whyNot(graph: Graph, node: Node): string | null {
  const branches = branchesOf(node);
  if (branches === undefined || staticCount(shapeOf(graph, inputOf(node, 0))) !== 1)
    return "its condition is more than one number, or a branch is missing";
  if (branches.some((body) => holdsBodies(graph, body)))
    return "there are loops or branches in its branches";
  const [yes, no] = branches.map(({ outputs }) => outputs);
  const isAlike = node.outputs.every((_, at) => areAlike(graph, yes?.[at], no?.[at]));
  if (!isAlike) return "its branches give results of different or unknown sizes";
  const ending = branches
    .flatMap(({ nodes }) => [...nodes].map((id) => graph.node(id)))
    .find((one) => mayEnd(graph, one));
  if (ending !== undefined)
    return `a ${ending.op} in a branch may fail where the other one is taken`;
  return null;
}

/** Then, else. */
function branchesOf(node: Node): readonly [Body, Body] | undefined {
  const [yes, no] = ["then_branch", "else_branch"].map((name) => node.attributes.get(name));
  return yes?.type === "graph" && no?.type === "graph" ? [yes.value, no.value] : undefined;
}

function areAlike(graph: Graph, a: ValueId | undefined, b: ValueId | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return staticCount(shapeOf(graph, a)) !== undefined && sameType(graph.value(a).type, graph.value(b).type); // prettier-ignore
}

/** Which of their inputs must lie within a tensor. */
const indexed: ReadonlyMap<string, number> = new Map([
  ["Gather", 1],
  ["GatherElements", 1],
  ["GatherND", 1],
  ["ScatterElements", 1],
  ["ScatterND", 1],
  ["OneHot", 1],
]);

/** Does it end a run where its numbers are not as they should be: indices that are computed, integers divided by 0? */
function mayEnd(graph: Graph, node: Node): boolean {
  const index = inputOf(node, indexed.get(node.op) ?? Infinity);
  if (index !== undefined) return graph.constant(index) === undefined;
  const divides = node.op === "Div" || node.op === "Mod";
  return divides && dtypeOf(graph, inputOf(node, 0))?.startsWith("float") !== true;
}

function write(graph: Graph, editor: Editor, node: Node): void {
  const branches = branchesOf(node);
  const condition = inputOf(node, 0);
  if (branches === undefined || condition === undefined) return;
  const into = graph.body(node.body);
  const one = editor.constant("one", Tensor.int64([], [0]), into);
  const chosen = editor.add1("Reshape", [condition, one], {}, { body: into });
  const [yes, no] = branches.map((body) => {
    const copy = new BodyCopy(graph, editor, body, into);
    for (const inner of graph.order(body)) copy.copy(inner);
    return body.outputs.map((id) => copy.of(id));
  });
  for (const [at, output] of node.outputs.entries()) {
    if (output === null) continue;
    const [a, b] = [yes?.[at] ?? null, no?.[at] ?? null];
    const by = editor.add1("Where", [chosen, a, b], {}, { body: into });
    editor.replace(output, by, "both of its branches are computed");
  }
}
