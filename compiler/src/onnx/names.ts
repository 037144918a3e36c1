import { bodiesOf, type Body, type Graph, type ValueId } from "../ir/index.js";

/**
 * A name for every value, unique wherever it can be seen: in its own body and in those nested in it. The model's
 * inputs and outputs keep theirs; of other values that share a name, the first does.
 */
export function assignNames(graph: Graph): ReadonlyMap<ValueId, string> {
  const names = new Map<ValueId, string>();
  nameBody(graph, graph.main, new Set(), names);
  return names;
}

function nameBody(
  graph: Graph,
  body: Body,
  outer: ReadonlySet<string>,
  names: Map<ValueId, string>,
): void {
  const taken = new Set(outer);
  const give = (id: ValueId): void => {
    if (names.has(id)) return;
    const wanted = graph.value(id).name;
    const name =
      wanted !== "" && !taken.has(wanted)
        ? wanted
        : fresh(wanted === "" ? `value_${id}` : wanted, taken);
    taken.add(name);
    names.set(id, name);
  };
  body.inputs.forEach(give);
  for (const id of body.outputs) if (graph.value(id).body === body.id) give(id);
  body.initializers.forEach(give);
  for (const id of body.nodes)
    for (const output of graph.node(id).outputs) if (output !== null) give(output);
  for (const id of body.nodes)
    for (const inner of bodiesOf(graph.node(id)))
      nameBody(graph, graph.body(inner.id), taken, names);
}

function fresh(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  let number = 1;
  while (taken.has(`${wanted}_${number}`)) number += 1;
  return `${wanted}_${number}`;
}
