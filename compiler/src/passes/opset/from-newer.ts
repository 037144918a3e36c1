import { PareError } from "@pare/runtime/format";
import { edit, type Graph, type Node } from "../../ir/index.js";
import { attributeReader } from "../../ops/index.js";
import { normalOpset } from "./raise.js";

/** The newest opset whose changes are known. */
const newestOpset = 28;

/** The opset that brought an operator, after the one that is normal here. */
const introducedLater: Readonly<Record<string, number>> = {
  Attention: 23,
  BitCast: 26,
  CausalConvWithState: 27,
  CumProd: 26,
  LinearAttention: 27,
  RMSNormalization: 23,
  RotaryEmbedding: 23,
  SwiGLU: 28,
  Swish: 24,
  TensorScatter: 24,
};

/** Attributes that came after opset 21, and the only value that an older reader takes for granted. */
const newAttributes: readonly (readonly [
  ops: readonly string[],
  name: string,
  fallback: number | string,
])[] = [
  [["Cast", "CastLike"], "round_mode", "up"],
  [["DequantizeLinear"], "output_dtype", 0],
  [["QuantizeLinear"], "precision", 0],
  [["Range"], "stash_type", 1],
  [["SpaceToDepth"], "mode", "DCR"],
];

/**
 * Says a model of opset 22 to 28 in opset 21: most of those versions only admit more element types.
 * @throws PareError MODEL_VERSION naming the first node that opset 21 has no words for
 */
export function fromNewerOpset(graph: Graph, opset: number): void {
  if (opset > newestOpset) {
    throw new PareError(
      "MODEL_VERSION",
      `The model is of opset ${opset}; what is newer than ${newestOpset} is not known here.`,
      {
        where: "opset_import",
        hint: `Export the model for opset ${normalOpset}.`,
      },
    );
  }
  for (const node of graph.allNodes()) if (node.domain === "") requireOld(graph, node);
  edit(graph, "opset-21", (editor) => {
    for (const node of graph.allNodes()) {
      for (const [ops, name] of newAttributes) {
        if (node.domain === "" && ops.includes(node.op) && node.attributes.has(name))
          editor.setAttribute(node.id, name, undefined);
      }
    }
    editor.setOpset("", normalOpset);
  });
}

function requireOld(graph: Graph, node: Node): void {
  const refuse = (what: string): never => {
    throw new PareError(
      "MODEL_VERSION",
      `${what}, and opset ${normalOpset}, which Pare works in, has no equal.`,
      {
        where: graph.nodeLabel(node),
        hint: `Export the model for opset ${normalOpset}.`,
      },
    );
  };
  const since = introducedLater[node.op];
  if (since !== undefined) refuse(`${node.op} came with opset ${since}`);
  const read = attributeReader(node.attributes);
  for (const [ops, name, fallback] of newAttributes) {
    if (!ops.includes(node.op)) continue;
    const value =
      typeof fallback === "number" ? read.int(name, fallback) : read.string(name, fallback);
    if (value !== fallback) refuse(`${node.op} with ${name} = ${value} is newer`);
  }
}
