import { PareError } from "@pare/runtime/format";
import {
  type Graph,
  isStatic,
  type Node,
  type Tensor,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import {
  bytesOfValue,
  type ConstantCone,
  constantSubgraph,
  evaluateSubgraph,
  freedBytes,
  workOf,
} from "./constant-subgraph.js";

import type { Rewrite, Rule } from "./rule.js";

/** So few bytes cost less in a file than the node that makes them. */
const smallBytes = 256;

/** A miss is worth a word from this size on. */
const notableBytes = 4096;

/**
 * f(constants) → constant, unless the file would grow: a result is at most as large as the constants that go with
 * all that only led to it. What expands (ConstantOfShape, Expand, Tile) or reads a shared weight stays a node.
 */
export const foldConstants: Rule = {
  name: "fold-constants",
  exactness: "rounding",
  ops: "any",
  match(graph, node) {
    // A body's output that is constant needs an Identity to be made by; any other is dropped as such.
    if (node.op === "Identity") return undefined;
    const subgraph = constantSubgraph(graph, node);
    if (subgraph === undefined) return undefined;
    const size = sizeOf(graph, node);
    const freed = freedBytes(graph, subgraph);
    if (size > Math.max(smallBytes, freed)) {
      const isEnd = !onlyLeadsToConstants(graph, node);
      return isEnd && Number.isFinite(size) && size - freed > notableBytes
        ? { miss: `as a constant it would add ${size - freed} bytes to the file` }
        : undefined;
    }
    return folded(graph, node, subgraph);
  },
};

const onBits = new Set(["BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"]);
const recurrent = new Set(["GRU", "LSTM", "RNN"]);

/** Floats of 4 bits take eight times as much. */
const mostDecoded = 8;

/** Windows are packed before anything runs, or written out place by place. */
const windowed = new Set(["Conv", "ConvTranspose"]);
/** So much is made of windows; those that resample sound take some hundred kilobytes. */
const mostOfWindow = 2 ** 22;

/**
 * As `foldConstants`, though a result is as much larger as weights are when they are decoded, where modules have no kernel for
 * what they are decoded by (4 bits of a byte), or one that takes only weights that are there (recurrent cells); a window is as
 * large as it is.
 */
export const foldForModules: Rule = {
  name: "fold-for-modules",
  exactness: "rounding",
  ops: "any",
  match(graph, node) {
    const isRead = isReadBy(graph, node, ({ op }) => recurrent.has(op));
    const isWindow = isReadBy(graph, node, ({ op, inputs }, id) => windowed.has(op) && inputs[1] === id); // prettier-ignore
    const isFolded = isRead || isWindow || onBits.has(node.op);
    if (node.domain !== "" || node.op === "Identity" || !isFolded) return undefined;
    const subgraph = constantSubgraph(graph, node, isWindow ? mostOfWindow : undefined);
    if (subgraph === undefined) return undefined;
    let stored = smallBytes;
    for (const { byteLength } of subgraph.constants.values()) stored += byteLength;
    const most = Math.max(mostDecoded * stored, isWindow ? mostOfWindow : 0);
    return sizeOf(graph, node) > most ? undefined : folded(graph, node, subgraph);
  },
};

function isReadBy(
  graph: Graph,
  { outputs }: Node,
  reads: (node: Node, id: ValueId) => boolean,
): boolean {
  return outputs.some((id) => id !== null && graph.consumers(id).some((node) => reads(node, id)));
}

function sizeOf(graph: Graph, { outputs }: Node): number {
  return outputs.reduce((sum, id) => sum + (id === null ? 0 : bytesOfValue(graph, id)), 0);
}

function folded(graph: Graph, node: Node, subgraph: ConstantCone): Rewrite {
  const because = "computed from constants";
  return {
    because,
    needs: [...subgraph.constants.values()],
    work: workOf(graph, subgraph),
    rewrite(editor, data) {
      const results = evaluateSubgraph(graph, subgraph, data);
      node.outputs.forEach((id, index) => {
        const tensor = results?.[index];
        if (id === null || tensor === null || tensor === undefined) return;
        checkDeclared(graph, node, id, tensor);
        const constant = editor.constant(graph.value(id).name, tensor, graph.body(node.body));
        editor.replace(id, constant, because);
      });
    },
  };
}

/**
 * Shapes of a damaged file may contradict each other: what is declared of the model's outputs is what its user relies on.
 * @throws PareError MODEL_SHAPE
 */
function checkDeclared(graph: Graph, node: Node, id: ValueId, { dims }: Tensor): void {
  const shape = shapeOf(graph, id);
  const isOutput = graph.value(id).uses.some(({ kind }) => kind === "output");
  if (!isOutput || shape === undefined || !isStatic(shape) || shape.join() === dims.join()) return;
  throw new PareError(
    "MODEL_SHAPE",
    `The model says that ${graph.value(id).name} is [${shape.join(", ")}], and its nodes give [${dims.join(", ")}].`,
    {
      where: graph.nodeLabel(node),
      hint: "Export the model again: shapes in it contradict each other.",
    },
  );
}

function onlyLeadsToConstants(graph: Graph, node: Node): boolean {
  return node.outputs.every(
    (id) =>
      id === null ||
      graph.consumers(id).some((reader) => constantSubgraph(graph, reader) !== undefined),
  );
}
