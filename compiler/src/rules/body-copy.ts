import type { Body, Editor, Graph, Node, ValueId } from "../ir/index.js";

/**
 * Copies nodes of one body into another, which knows what is around the first as well. What is around it stays what it is, and
 * constants of its own are copied once.
 */
export class BodyCopy {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #from: Body;
  readonly #into: Body;
  readonly #missing: (id: ValueId) => ValueId;
  readonly #values = new Map<ValueId, ValueId>();

  /** @param missing what a value of the body is that was neither set nor copied */
  constructor(
    graph: Graph,
    editor: Editor,
    from: Body,
    into: Body,
    missing: (id: ValueId) => ValueId = (id) => id,
  ) {
    this.#graph = graph;
    this.#editor = editor;
    this.#from = from;
    this.#into = into;
    this.#missing = missing;
  }

  /** Says what a value of the body is from here on. */
  set(from: ValueId, to: ValueId): void {
    this.#values.set(from, to);
  }

  /** What a value is in the other body. */
  of(id: ValueId): ValueId {
    const known = this.#values.get(id);
    if (known !== undefined) return known;
    const { name, constant, body } = this.#graph.value(id);
    if (body !== this.#from.id) return id;
    const own =
      constant === undefined
        ? this.#missing(id)
        : this.#editor.constant(name, constant, this.#into);
    this.#values.set(id, own);
    return own;
  }

  /** @param suffix of the names of its results, where it is copied more than once */
  copy(node: Node, suffix = ""): void {
    const made = this.#editor.addNode(
      node.op,
      node.inputs.map((id) => (id === null ? null : this.of(id))),
      Object.fromEntries(node.attributes),
      {
        body: this.#into,
        domain: node.domain,
        overload: node.overload,
        name: node.name === "" ? "" : `${node.name}${suffix}`,
        outputs: node.outputs.map((id) => id === null ? null : `${this.#graph.value(id).name}${suffix}`), // prettier-ignore
      },
    );
    for (const [at, id] of node.outputs.entries()) {
      const own = made.outputs[at];
      if (id !== null && own !== null && own !== undefined) this.#values.set(id, own);
    }
  }
}
