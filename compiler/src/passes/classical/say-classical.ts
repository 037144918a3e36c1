import { edit, type Graph, type Node, type NodeId } from "../../ir/index.js";
import { keyOf } from "../../ops/index.js";
import type { Step } from "../opset/adapter.js";
import { normalOpset } from "../opset/raise.js";
import { stepOf } from "../opset/step.js";
import { featureWords } from "./features.js";
import { linearWords } from "./linear.js";
import { treeWords } from "./trees.js";

/** How operators of ai.onnx.ml are said in those of ai.onnx; of trees only their sums are left. */
const words: ReadonlyMap<string, (step: Step) => void> = new Map(
  Object.entries({ ...featureWords, ...linearWords, ...treeWords }),
);

/** Their keys. */
export const classicalOperators: readonly string[] = [...words.keys()].sort();

/** A node that there are no words for. */
class Unsayable extends Error {}

/**
 * Says what scikit-learn and its kin export in operators that every target has, where that is possible. The graph is in its
 * normal form.
 * @returns of each node that stays: why
 */
export function sayClassical(graph: Graph): ReadonlyMap<NodeId, string> {
  const nodes = graph.order().filter((node) => words.has(keyOf(node)));
  return new Map(
    nodes.flatMap((node) => {
      const why = say(graph, node);
      return why === undefined ? [] : [[node.id, why] as const];
    }),
  );
}

function refuse(why: string): never {
  throw new Unsayable(why);
}

/** @returns why there are no words for it, where there are none */
function say(graph: Graph, node: Node): string | undefined {
  try {
    edit(
      graph,
      "say-classical",
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
