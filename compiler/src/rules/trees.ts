import type { Tensor as Dense } from "@pare/runtime/format";
import {
  attribute,
  type Attributes,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type TensorData,
  type ValueId,
} from "../ir/index.js";
import { type AttributeReader, evaluateNode, operatorOf } from "../ops/index.js";
import {
  attributesOf,
  dtypeOf,
  hasOneReader,
  inputOf,
  madeBy,
  numbersOf,
  outputOf,
  shapeOf,
} from "./pattern.js";
import type { Rule } from "./rule.js";

const domain = "ai.onnx.ml";

/** Trees over features that were taken out of a sample ask for those features themselves. */
const takeFeatures: Rule = {
  name: "take-features",
  exactness: "bitwise",
  ops: "any",
  match(graph, node) {
    if (node.domain !== domain || !/^TreeEnsemble(Regressor|Classifier)$/.test(node.op))
      return undefined;
    const gather = madeBy(graph, inputOf(node, 0), "Gather");
    const [data, indices] = gather === undefined ? [] : [inputOf(gather, 0), inputOf(gather, 1)];
    const count = shapeOf(graph, data)?.[1];
    const places = numbersOf(graph, indices)?.map((place) =>
      place < 0 && typeof count === "number" ? place + count : place,
    );
    const asked = attributesOf(node).ints("nodes_featureids");
    if (gather === undefined || data === undefined || places === undefined || asked === undefined)
      return undefined;
    const isOfColumns =
      shapeOf(graph, data)?.length === 2 &&
      [1, -1].includes(attributesOf(gather).int("axis", 0)) &&
      graph.constant(indices)?.dims.length === 1;
    const features = asked.flatMap((feature) => places[feature] ?? []);
    if (!isOfColumns || features.length < asked.length || features.some((place) => place < 0))
      return undefined;
    return {
      because: "its trees ask for the features that were taken out",
      rewrite(editor) {
        editor.setAttribute(node.id, "nodes_featureids", attribute.ints(features));
        editor.setInput(node.id, 0, data);
      },
    };
  },
};

/** Lists of a node's trees whose scores are sums of what leaves say, in float32; undefined for any other node. */
function sumsOf(node: Node | undefined): AttributeReader | undefined {
  if (node === undefined || node.domain !== domain || node.op !== "TreeEnsembleRegressor")
    return undefined;
  const attributes = attributesOf(node);
  const isPlain =
    attributes.string("aggregate_function", "SUM") === "SUM" &&
    attributes.string("post_transform", "NONE") === "NONE" &&
    (attributes.floats("base_values") ?? []).length === 0 &&
    ![...node.attributes.keys()].some((name) => name.endsWith("_as_tensor"));
  return isPlain && attributes.floats("target_weights") !== undefined ? attributes : undefined;
}

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
  if (last === undefined || other !== undefined) return undefined;
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
  const dims = [weights.length, 1];
  const values = new Map<ValueId, Dense>([
    [score, { type: "float32", dims, data: Float32Array.from(weights) }],
  ]);
  for (const [at, [id, { dtype, dims: own }]] of [...constants].entries())
    values.set(id, { type: dtype, dims: own, data: data[at] ?? [] });
  for (const node of nodes) {
    const inputs = node.inputs.map((id) => (id === null ? null : (values.get(id) ?? null)));
    const [result] = evaluateNode(graph, node, inputs) ?? [];
    const output = outputOf(node);
    if (!result || output === undefined) return undefined;
    values.set(output, result);
  }
  const numbers = Array.from(values.get(last)?.data ?? [], Number);
  return numbers.length === weights.length && numbers.every(Number.isFinite) ? numbers : undefined;
}

/**
 * What is computed of a tree's score alone is computed for every leaf instead: an isolation forest looks up in tables how deep
 * a leaf is and how many samples fell into it, and takes logarithms of that.
 */
const foldIntoLeaves: Rule = {
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
        const tree = editor.add1(node.op, node.inputs, own, { body, domain, name: node.name });
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

/** Trees of which a sum alone is read are one node's. */
const joinTrees: Rule = {
  name: "join-trees",
  exactness: "rounding",
  ops: ["Add", "Sum"],
  match(graph, node) {
    const output = outputOf(node);
    const plain = node.inputs.flatMap((id) => {
      const producer = graph.producer(id ?? undefined);
      const attributes = sumsOf(producer);
      const isRead = id === null || !hasOneReader(graph, id);
      return producer === undefined || attributes === undefined || isRead
        ? []
        : [{ id, producer, attributes, targets: attributes.int("n_targets", 1) }];
    });
    const [first] = plain;
    if (first === undefined || output === undefined) return undefined;
    const alike = plain.filter(
      ({ producer, targets }) =>
        producer.inputs[0] === first.producer.inputs[0] && targets === first.targets,
    );
    const lists = joined(alike.map(({ attributes }) => attributes));
    if (alike.length < 2 || lists === undefined) return undefined;
    const rest = node.inputs.filter((id) => alike.every((one) => one.id !== id));
    const because = `${alike.length} nodes of trees in one`;
    return {
      because,
      work: lists.count,
      rewrite(editor) {
        const body = graph.body(node.body);
        const own = { ...lists.attributes, n_targets: attribute.int(first.targets) };
        const { op, inputs, name } = first.producer;
        const trees = editor.add1(op, inputs, own, { body, domain, name });
        const sum = rest.length > 0 ? editor.add1("Sum", [...rest, trees], {}, { body }) : trees;
        editor.replace(output, sum, because);
      },
    };
  },
};

/** Lists that speak of nodes, as long as there are nodes. How often a node was reached in training nobody asks. */
const nodeLists = ["falsenodeids", "featureids", "nodeids", "truenodeids"].map((name) => `nodes_${name}`); // prettier-ignore
const targetLists = ["target_ids", "target_nodeids"];
const missing = "nodes_missing_value_tracks_true";

/** The lists of several nodes' trees, behind each other; undefined where they are not as long as they should be. */
function joined(
  all: readonly AttributeReader[],
): { readonly attributes: Attributes; readonly count: number } | undefined {
  const modes = all.flatMap((one) => {
    const list = one.get("nodes_modes");
    return list?.type === "strings" ? list.value : [];
  });
  const values = all.flatMap((one) => one.floats("nodes_values") ?? []);
  const weights = all.flatMap((one) => one.floats("target_weights") ?? []);
  const gaps = all.flatMap(
    (one) => one.ints(missing) ?? (one.ints("nodes_nodeids") ?? []).map(() => 0),
  );
  const [nodes, targets] = [nodeLists, targetLists].map((names) =>
    names.map((name) => [name, all.flatMap((one) => one.ints(name) ?? [])] as const),
  );
  if (nodes === undefined || targets === undefined) return undefined;
  const [treeIds, ownerIds] = renumbered(all);
  const count = modes.length;
  const fits =
    [treeIds, values, gaps, ...nodes.map(([, list]) => list)].every(
      (list) => list.length === count,
    ) && // prettier-ignore
    [ownerIds, ...targets.map(([, list]) => list)].every((list) => list.length === weights.length);
  if (!fits) return undefined;
  const lists = [
    ...nodes,
    ...targets,
    ["nodes_treeids", treeIds] as const,
    ["target_treeids", ownerIds] as const,
    ...(gaps.some((gap) => gap !== 0) ? [[missing, gaps] as const] : []),
  ];
  return {
    count: count + weights.length,
    attributes: {
      ...Object.fromEntries(lists.map(([name, list]) => [name, attribute.ints(list)])),
      nodes_modes: { type: "strings", value: modes },
      nodes_values: attribute.floats(values),
      target_weights: attribute.floats(weights),
    },
  };
}

/** Trees of several nodes, counted through: of each node of a tree, and of each leaf's number. */
function renumbered(
  all: readonly AttributeReader[],
): readonly [nodes: readonly number[], leaves: readonly number[]] {
  let count = 0;
  const [nodes, leaves]: [number[], number[]] = [[], []];
  for (const one of all) {
    const places = new Map<number, number>();
    const placeOf = (tree: number): number => {
      const place = places.get(tree) ?? count;
      if (!places.has(tree)) count += 1;
      places.set(tree, place);
      return place;
    };
    for (const tree of one.ints("nodes_treeids") ?? []) nodes.push(placeOf(tree));
    for (const tree of one.ints("target_treeids") ?? []) leaves.push(placeOf(tree));
  }
  return [nodes, leaves];
}

/** What decision trees of ai.onnx.ml are joined with. */
export const trees: readonly Rule[] = [takeFeatures, foldIntoLeaves, joinTrees];
