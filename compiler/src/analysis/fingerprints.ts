import {
  type Attribute,
  bodiesOf,
  type Graph,
  type Node,
  type Tensor,
  type ValueId,
} from "../ir/index.js";

/**
 * Numbers computations: two values, of one graph or of several, get the same number when the same operators make them
 * from the same constants and inputs. So what was observed of an activation holds in every fork that left what is
 * above it alone.
 */
export class Cones {
  readonly #numbers = new Map<string, number>();
  readonly #tensors = new Map<Tensor, number>();

  /** The number of every value of the main graph. */
  of(graph: Graph): ReadonlyMap<ValueId, number> {
    const known = new Map<ValueId, number>();
    const number = (value: ValueId): number => {
      const numbered = known.get(value);
      if (numbered !== undefined) return numbered;
      const { constant, name } = graph.value(value);
      const made = this.#intern(
        constant === undefined ? `input ${name}` : `constant ${this.#tensor(constant)}`,
      );
      known.set(value, made);
      return made;
    };
    for (const node of graph.order()) {
      const text = this.#text(node, number);
      node.outputs.forEach((output, index) => {
        if (output !== null) known.set(output, this.#intern(`${index} of ${text}`));
      });
    }
    graph.main.inputs.forEach(number);
    return known;
  }

  #text(node: Node, number: (value: ValueId) => number): string {
    // What captures from outside is not followed: such a node equals itself alone, in every fork.
    if (bodiesOf(node).length > 0)
      return `node ${node.id} with bodies ${node.inputs.map((input) => (input === null ? "" : number(input))).join()}`;
    const attributes = [...node.attributes]
      .map(([name, attribute]) => `${name}=${this.#attribute(attribute)}`)
      .sort();
    return `${node.domain}.${node.op}(${node.inputs.map((input) => (input === null ? "" : number(input))).join()}) ${attributes.join()}`;
  }

  #attribute(attribute: Attribute): string {
    switch (attribute.type) {
      case "tensor":
        return `tensor ${this.#tensor(attribute.value)}`;
      case "int":
      case "float":
      case "string":
      case "ints":
      case "floats":
      case "strings":
        return String(attribute.value);
      default:
        return attribute.type;
    }
  }

  #tensor(tensor: Tensor): number {
    const known = this.#tensors.get(tensor) ?? this.#tensors.size;
    this.#tensors.set(tensor, known);
    return known;
  }

  #intern(text: string): number {
    const known = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, known);
    return known;
  }
}
