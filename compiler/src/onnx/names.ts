import { bodiesOf, type Body, type Graph, type ValueId } from "../ir/index.js";

/**
 * A name for every value, unique wherever it can be seen: in its own body and in those nested in it. The model's
 * inputs and outputs keep theirs; of other values that share a name, the first does.
 */
export function assignNames(graph: Graph): ReadonlyMap<ValueId, string> {
  const names = new Map<ValueId, string>();
  nameBody(graph, graph.main, new TakenNames(undefined), names);
  return names;
}

function nameBody(graph: Graph, body: Body, taken: TakenNames, names: Map<ValueId, string>): void {
  const give = (id: ValueId): void => {
    if (names.has(id)) return;
    const { name } = graph.value(id);
    names.set(id, taken.take(name === "" ? `value_${id}` : name));
  };
  body.inputs.forEach(give);
  for (const id of body.outputs) if (graph.value(id).body === body.id) give(id);
  for (const id of body.initializers) give(id);
  for (const id of body.nodes)
    for (const output of graph.node(id).outputs) if (output !== null) give(output);
  for (const id of body.nodes)
    for (const inner of bodiesOf(graph.node(id)))
      nameBody(graph, graph.body(inner.id), new TakenNames(taken), names);
}

/** The names given in a body, and around it those of the bodies that enclose it, which are all given before. */
export class TakenNames {
  readonly #outer: TakenNames | undefined;
  /** By name, the number that is tried first where the name is wanted again. */
  readonly #next = new Map<string, number>();

  constructor(outer: TakenNames | undefined) {
    this.#outer = outer;
  }

  /** The name itself or, where it is taken, the name with the first number that makes it new. */
  take(wanted: string): string {
    let number = this.#numberFor(wanted);
    if (number === undefined) return this.#give(wanted);
    while (this.#numberFor(`${wanted}_${number}`) !== undefined) number += 1;
    this.#next.set(wanted, number + 1);
    return this.#give(`${wanted}_${number}`);
  }

  #give(name: string): string {
    this.#next.set(name, 1);
    return name;
  }

  /** Undefined where nothing has that name. */
  #numberFor(name: string): number | undefined {
    const number = this.#next.get(name);
    if (number !== undefined || this.#outer === undefined) return number;
    return this.#outer.#numberFor(name);
  }
}
