import { countConstantBytes } from "../../analysis/index.js";
import { edit, type Graph, type Node, type NodeId, normalOpset } from "../../ir/index.js";
import { keyOf } from "../../ops/index.js";
import type { Step } from "./adapter.js";
import { stepOf } from "./step.js";

/** How operators of other domains are said in those of ai.onnx, by their keys; it refuses where there are no words. */
export type Words = ReadonlyMap<string, (step: Step) => void>;

/**
 * What is written down for all nodes, beside so many times what the model has: tables are made of sizes, and a small file may
 * ask for many large ones.
 */
const mostWritten = { bytes: 2 ** 26, times: 8 };

/** A node that there are no words for. */
class Unsayable extends Error {}

/**
 * Says nodes in operators that every target has, where that is possible. The graph is in its normal form.
 * @param rule under whose name edits are recorded
 * @param concerns which of the nodes that have words are meant
 * @returns of each node that stays: why
 */
export function sayNodes(
  graph: Graph,
  rule: string,
  words: Words,
  concerns: (graph: Graph, node: Node) => boolean = () => true,
): ReadonlyMap<NodeId, string> {
  const all = [...graph.allBodies()].flatMap((body) => graph.order(body));
  const nodes = all.filter((node) => words.has(keyOf(node)) && concerns(graph, node));
  const left = new Map<NodeId, string>();
  if (nodes.length === 0) return left;
  const most = mostWritten.bytes + mostWritten.times * countConstantBytes(graph);
  let written = 0;
  for (const node of nodes) {
    const said = written > most ? tooMuch : say(graph, rule, words, node);
    if (typeof said === "string") left.set(node.id, said);
    else written += said;
  }
  return left;
}

const tooMuch = `tables of ${mostWritten.bytes / 2 ** 20} MB are written for others already`;

function refuse(why: string): never {
  throw new Unsayable(why);
}

/** @returns bytes of what was written down for it, or why there are no words */
function say(graph: Graph, rule: string, words: Words, node: Node): number | string {
  try {
    return edit(
      graph,
      rule,
      (editor) => {
        const step = stepOf(graph, editor, node.id, normalOpset, normalOpset);
        words.get(keyOf(node))?.({ ...step, refuse });
        if (node.outputs.some((id) => id !== null && graph.value(id).uses.length > 0))
          refuse("an output is read that it does not have");
        editor.remove(node.id);
        return editor.constantBytes;
      },
      { interface: true },
    );
  } catch (error) {
    if (!(error instanceof Unsayable)) throw error;
    return error.message;
  }
}
