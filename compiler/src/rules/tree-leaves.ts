import {
  attribute,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type TensorData,
  type ValueId,
} from "../ir/index.js";
import { type AttributeReader, operatorOf } from "../ops/index.js";
import { evaluateSubgraph } from "./constant-subgraph.js";
import { dtypeOf, inputOf, numbersOf, outputOf } from "./pattern.js";
import type { Rule } from "./rule.js";
import { sumsOf, treeDomain } from "./tree-sums.js";

/** Is there one tree alone, of which every leaf says one number? */
function isOneTree(attributes: AttributeReader): boolean {
  const modes = attributes.get("nodes_modes");
  const [trees = [], nodes = [], scored = [], owners = [], targets = []] = [
    "nodes_treeids",
    "nodes_nodeids",
    "target_nodeids",
    "target_treeids",
    "target_ids",
  ].map((name) => attributes.ints(name));
  if (modes?.type !== "strings" || attributes.int("n_targets", 1) !== 1) return false;
  const leaves = new Set(nodes.filter((_, at) => modes.value[at] === "LEAF"));
  return (
    new Set([...trees, ...owners]).size === 1 &&
    targets.every((target) => target === 0) &&
    scored.length === leaves.size &&
    attributes.floats("target_weights")?.length === leaves.size &&
    new Set(scored).size === leaves.size &&
    scored.every((node) => leaves.has(node))
  );
}

/** How the numbers of the samples lie: one a row, or one after another. */
type Form = "column" | "row";

/** What is computed of the number that a sample gets, and of constants, element by element. */
interface Followers {
  /** In order of execution. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  /** The only value that anything else reads. */
  readonly last: ValueId;
  readonly form: Form;
}

/** More nodes are left to the engine. */
const mostFollowers = 64;

function followersOf(graph: Graph, tree: Node, score: ValueId): Followers | undefined {
  const forms = new Map<ValueId, Form>([[score, "column"]]);
  const constants = new Map<ValueId, Tensor>();
  const nodes = new Map<NodeId, Node>();
  for (const value of forms.keys())
    for (const node of graph.consumers(value)) {
      const isOpen = node.body === tree.body && !nodes.has(node.id);
      const form = isOpen ? formOf(graph, node, forms) : undefined;
      const output = outputOf(node);
      if (form === undefined || output === undefined) continue;
      if (nodes.size === mostFollowers) return undefined;
      nodes.set(node.id, node);
      forms.set(output, form);
      for (const id of node.inputs) {
        const tensor = graph.constant(id ?? undefined);
        if (id !== null && tensor !== undefined) constants.set(id, tensor);
      }
    }
  const [last, other] = [...forms].filter(([id]) =>
    graph.value(id).uses.some((use) => use.kind === "output" || !nodes.has(use.node)),
  );
  if (last === undefined || last[0] === score || other !== undefined) return undefined;
  return { nodes: [...nodes.values()], constants, last: last[0], form: last[1] };
}

/** How a node's result lies; undefined where it is not computed element by element of what is known so far. */
function formOf(graph: Graph, node: Node, forms: ReadonlyMap<ValueId, Form>): Form | undefined {
  if (isReshape(node)) {
    const data = inputOf(node, 0);
    const target = numbersOf(graph, inputOf(node, 1))?.join();
    if (data === undefined || !forms.has(data)) return undefined;
    return target === "-1,1" ? "column" : target === "-1" ? "row" : undefined;
  }
  if (operatorOf(node)?.traits.elementwise === undefined || node.outputs.length !== 1)
    return undefined;
  const read = node.inputs.filter((id) => id !== null);
  const [form, other] = new Set(read.flatMap((id) => forms.get(id) ?? []));
  const mostAxes = form === "column" ? 2 : 1;
  const fits = read.every((id) => {
    const constant = graph.constant(id);
    return forms.has(id) || (constant?.count === 1 && constant.dims.length <= mostAxes);
  });
  return fits && other === undefined ? form : undefined;
}

function isReshape({ domain: own, op }: Node): boolean {
  return own === "" && op === "Reshape";
}

/** What is computed of each number that leaves say; undefined where that is not finite, or has no evaluation. */
function computed(
  graph: Graph,
  { nodes, constants, last }: Followers,
  score: ValueId,
  weights: readonly number[],
  data: readonly TensorData[],
): readonly number[] | undefined {
  const said = Tensor.float32([weights.length, 1], weights);
  const end = graph.producer(last);
  if (end === undefined || said.data === undefined) return undefined;
  const cone = {
    // The one that is asked for comes last.
    nodes: [...nodes.filter((node) => node !== end), end],
    constants: new Map([[score, said], ...constants]),
  };
  const [result] = evaluateSubgraph(graph, cone, [said.data, ...data]) ?? [];
  const numbers = Array.from(result?.data ?? [], Number);
  return numbers.length === weights.length && numbers.every(Number.isFinite) ? numbers : undefined;
}

/**
 * What is computed of a tree's score alone is computed for every leaf instead: an isolation forest looks up in tables how deep
 * a leaf is and how many samples fell into it, and takes logarithms of that.
 */
export const foldIntoLeaves: Rule = {
  name: "fold-into-leaves",
  exactness: "rounding",
  ops: "any",
  match(graph, node) {
    const attributes = sumsOf(node);
    const score = outputOf(node);
    if (attributes === undefined || score === undefined || !isOneTree(attributes)) return undefined;
    const followers = followersOf(graph, node, score);
    if (followers === undefined || followers.nodes.every(isReshape)) return undefined;
    const { last, form, constants, nodes } = followers;
    if (dtypeOf(graph, last) !== "float32") return undefined;
    const weights = attributes.floats("target_weights") ?? [];
    const because = "computed for every leaf";
    return {
      because,
      needs: [...constants.values()],
      work: nodes.length * weights.length,
      rewrite(editor, data) {
        const said = computed(graph, followers, score, weights, data);
        if (said === undefined) return;
        const body = graph.body(node.body);
        const own = { ...Object.fromEntries(node.attributes), target_weights: attribute.floats(said) }; // prettier-ignore
        const tree = editor.add1(node.op, node.inputs, own, {
          body,
          domain: treeDomain,
          name: node.name,
        });
        const all = editor.constant("all", Tensor.int64([-1]), body);
        editor.replace(
          last,
          form === "column" ? tree : editor.add1("Reshape", [tree, all], {}, { body }),
          because,
        );
      },
    };
  },
};
