// What of two models can be compared number by number.
import { edit } from "../../compiler/dist/index.js";

/**
 * Lets a model give what is computed before an output jumps, in place of that output: where numbers are equal to their own
 * maximum, the last digit decides. Gives how many such places there are.
 */
export function beforeJumps(graph) {
  const isFloat = (id) => graph.value(id).type.dtype === "float32";
  const jumps = [...graph.allNodes()].filter(
    ({ op, inputs }) => op === "Equal" && isFloat(inputs[0]),
  );
  if (jumps.length === 0) return 0;
  const behind = new Set(jumps);
  for (const node of graph.order())
    if (node.inputs.some((id) => behind.has(graph.producer(id)))) behind.add(node);
  edit(
    graph,
    "compare",
    (editor) => {
      const { outputs } = graph.main;
      for (const [index, { inputs }] of jumps.entries()) {
        editor.rename(inputs[0], `before_jump_${index}`);
        editor.addOutput(inputs[0]);
      }
      for (const [index, id] of [...outputs.entries()].reverse())
        if (behind.has(graph.producer(id))) editor.removeOutput(index);
    },
    { interface: true },
  );
  return jumps.length;
}
