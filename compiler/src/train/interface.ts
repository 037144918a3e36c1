import type { Editor, Graph, ValueId } from "../ir/index.js";
import { tensorType } from "../ir/index.js";
import type { LearnedConstant } from "./parameters.js";

/** Makes an input of a constant: what reads it reads what is fed. */
export function liftConstant(
  editor: Editor,
  { value, tensor }: LearnedConstant,
  name: string,
): ValueId {
  const input = editor.addInput(name, tensorType(tensor.dtype, tensor.dims));
  editor.replace(value, input, "learned");
  return input;
}

/** Takes all outputs away; what only they needed goes with them. */
export function clearOutputs(editor: Editor, graph: Graph): void {
  for (let index = graph.main.outputs.length - 1; index >= 0; index -= 1)
    editor.removeOutput(index);
}

/**
 * Makes an output of a value, by a name of its own: of a copy, where the value is no result of a node or is an output
 * already.
 */
export function giveOutput(editor: Editor, graph: Graph, value: ValueId, name: string): void {
  const isFree = graph.producer(value) !== undefined && !graph.isOutput(value);
  const own = isFree ? value : editor.add1("Identity", [value]);
  editor.rename(own, name);
  editor.addOutput(own);
}
