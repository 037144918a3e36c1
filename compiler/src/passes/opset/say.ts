import { edit, type Graph, type Node, type NodeId } from "../../ir/index.js";
import { keyOf } from "../../ops/index.js";
import type { Step } from "./adapter.js";
import { normalOpset } from "./raise.js";
import { stepOf } from "./step.js";

/** How operators of other domains are said in those of ai.onnx, by their keys; it refuses where there are no words. */
export type Words = ReadonlyMap<string, (step: Step) => void>;

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
  return new Map(
    nodes.flatMap((node) => {
      const why = say(graph, rule, words, node);
      return why === undefined ? [] : [[node.id, why] as const];
    }),
  );
}

function refuse(why: string): never {
  throw new Unsayable(why);
}

/** @returns why there are no words for it, where there are none */
function say(graph: Graph, rule: string, words: Words, node: Node): string | undefined {
  try {
    edit(
      graph,
      rule,
      (editor) => {
        const step = stepOf(graph, editor, node.id, normalOpset, normalOpset);
        words.get(keyOf(node))?.({ ...step, refuse });
        if (node.outputs.some((id) => id !== null && graph.value(id).uses.length > 0))
          refuse("an output is read that it does not have");
        editor.remove(node.id);
      },
      { interface: true },
    );
  } catch (error) {
    if (!(error instanceof Unsayable)) throw error;
    return error.message;
  }
  return undefined;
}
