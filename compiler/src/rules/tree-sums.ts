import { attribute, type Attributes, type Node } from "../ir/index.js";
import type { AttributeReader } from "../ops/index.js";
import { attributesOf, hasOneReader, outputOf } from "./pattern.js";
import type { Rule } from "./rule.js";

export const treeDomain = "ai.onnx.ml";

/** Lists of a node's trees whose scores are sums of what leaves say, in float32; undefined for any other node. */
export function sumsOf(node: Node | undefined): AttributeReader | undefined {
  if (node === undefined || node.domain !== treeDomain || node.op !== "TreeEnsembleRegressor")
    return undefined;
  const attributes = attributesOf(node);
  const isPlain =
    attributes.string("aggregate_function", "SUM") === "SUM" &&
    attributes.string("post_transform", "NONE") === "NONE" &&
    (attributes.floats("base_values") ?? []).length === 0 &&
    ![...node.attributes.keys()].some((name) => name.endsWith("_as_tensor"));
  return isPlain && attributes.floats("target_weights") !== undefined ? attributes : undefined;
}

/** Trees of which a sum alone is read are one node's. */
export const joinTrees: Rule = {
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
    if (alike.length < 2) return undefined;
    const rest = node.inputs.filter((id) => alike.every((one) => one.id !== id));
    const because = `${alike.length} nodes of trees in one`;
    return {
      because,
      work: alike.reduce((sum, { attributes }) => sum + listedIn(attributes), 0),
      rewrite(editor) {
        const lists = joined(alike.map(({ attributes }) => attributes));
        if (lists === undefined) return;
        const body = graph.body(node.body);
        const own = { ...lists, n_targets: attribute.int(first.targets) };
        const { op, inputs, name } = first.producer;
        const trees = editor.add1(op, inputs, own, { body, domain: treeDomain, name });
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
function joined(all: readonly AttributeReader[]): Attributes | undefined {
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
    ) &&
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
    ...Object.fromEntries(lists.map(([name, list]) => [name, attribute.ints(list)])),
    nodes_modes: { type: "strings", value: modes },
    nodes_values: attribute.floats(values),
    target_weights: attribute.floats(weights),
  };
}

/** Elements of a node's lists. */
function listedIn(attributes: AttributeReader): number {
  const [nodes, leaves] = ["nodes_values", "target_weights"].map((name) => attributes.floats(name));
  const [ofNode, ofLeaf] = [nodeLists.length + 4, targetLists.length + 2];
  return ofNode * (nodes?.length ?? 0) + ofLeaf * (leaves?.length ?? 0);
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
