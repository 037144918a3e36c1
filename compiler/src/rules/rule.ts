import type { Editor, Graph, Node, Tensor, TensorData, ValueId } from "../ir/index.js";
import type { Exactness } from "../pipeline/pass.js";

/** A local rewrite: where it applies and what it puts there. It depends on structure alone, never on names. */
export interface Rule {
  /** In the journal and in error messages. */
  readonly name: string;
  readonly exactness: Exactness;
  /** The ai.onnx operators it starts at; "any" for every node of every domain. */
  readonly ops: readonly string[] | "any";
  /** Looks, and never edits. */
  match(graph: Graph, node: Node): Rewrite | Miss | undefined;
}

export interface Rewrite {
  /** One clause for the report: "folded into Conv conv1". */
  readonly because: string;
  /** Tensors whose elements the rewrite computes with; they are read before it starts. */
  readonly needs?: readonly Tensor[];
  /** Elements that it computes, and what each takes: all of a graph's rewrites share one budget of it. */
  readonly work?: number;
  /** `data` holds the elements of `needs`, in order. */
  rewrite(editor: Editor, data: readonly TensorData[]): void;
}

/** Puts in a value's place what is made for it. */
export function replacing(
  old: ValueId,
  because: string,
  make: (editor: Editor) => ValueId,
): Rewrite {
  return { because, rewrite: (editor) => editor.replace(old, make(editor), because) };
}

/** Nearly applied: what a reader of the report should know of why it did not. */
export interface Miss {
  readonly miss: string;
}
