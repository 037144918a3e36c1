import type { Editor, Graph, ValueId } from "../ir/index.js";

/** Names what nodes and layers give after them; what only passes on the output of another keeps that one's name. */
export class OutputNames {
  readonly #editor: Editor;
  readonly #graph: Graph;
  readonly #named = new Set<ValueId>();

  constructor(editor: Editor, graph: Graph) {
    this.#editor = editor;
    this.#graph = graph;
  }

  give(outputs: readonly ValueId[], name: string): void {
    for (const [at, id] of outputs.entries()) {
      if (this.#graph.producer(id) === undefined || this.#named.has(id)) continue;
      this.#named.add(id);
      this.#editor.rename(id, at === 0 ? name : `${name}:${at}`);
    }
  }
}
