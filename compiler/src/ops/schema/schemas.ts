import type { Node } from "../../ir/index.js";
import { attentionSchemas } from "./attention.js";
import { binarySchemas } from "./binary.js";
import { castSchemas } from "./cast.js";
import type { Some } from "./cells.js";
import { classicalSchemas } from "./classical.js";
import { concatSplitSchemas } from "./concat-split.js";
import { controlSchemas } from "./control.js";
import { convolutionSchemas } from "./convolution.js";
import { creationSchemas } from "./creation.js";
import { depthSpaceSchemas } from "./depth-space.js";
import { detectionSchemas } from "./detection.js";
import { fusedSchemas } from "./fused.js";
import { gatherSchemas } from "./gather.js";
import { logicalSchemas } from "./logical.js";
import { matrixSchemas } from "./matrix.js";
import { movementSchemas } from "./movement.js";
import { normalizationSchemas } from "./normalization.js";
import type { OperatorSchema } from "./operator.js";
import { padSchemas } from "./pad.js";
import { poolingSchemas } from "./pooling.js";
import { quantizationSchemas } from "./quantization.js";
import { quantizedOperatorSchemas } from "./quantized-operators.js";
import { randomSchemas } from "./random.js";
import { recurrentSchemas } from "./recurrent.js";
import { reductionSchemas } from "./reduction.js";
import { reshapeSchemas } from "./reshape.js";
import { resizeSchemas } from "./resize.js";
import { scatterSchemas } from "./scatter.js";
import { selectionSchemas } from "./selection.js";
import { signalSchemas } from "./signal.js";
import { sliceSchemas } from "./slice.js";
import { softmaxSchemas } from "./softmax.js";
import { spatialSchemas } from "./spatial.js";
import { unarySchemas } from "./unary.js";
import { variadicSchemas } from "./variadic.js";

const families = {
  ...unarySchemas,
  ...binarySchemas,
  ...variadicSchemas,
  ...logicalSchemas,
  ...reductionSchemas,
  ...selectionSchemas,
  ...randomSchemas,
  ...creationSchemas,
  ...castSchemas,
  ...reshapeSchemas,
  ...movementSchemas,
  ...concatSplitSchemas,
  ...depthSpaceSchemas,
  ...sliceSchemas,
  ...padSchemas,
  ...gatherSchemas,
  ...scatterSchemas,
  ...convolutionSchemas,
  ...poolingSchemas,
  ...matrixSchemas,
  ...attentionSchemas,
  ...fusedSchemas,
  ...normalizationSchemas,
  ...softmaxSchemas,
  ...recurrentSchemas,
  ...resizeSchemas,
  ...detectionSchemas,
  ...spatialSchemas,
  ...signalSchemas,
  ...quantizationSchemas,
  ...quantizedOperatorSchemas,
  ...classicalSchemas,
  ...controlSchemas,
};

/** An operator that is known: "Conv" of ai.onnx, "com.microsoft::FusedConv" of another domain. */
export type OperatorKey = keyof typeof families;

/** One kind of knowledge. An operator that is not there is one of which nothing is known. */
export type Cells<Cell> = Some<typeof families, Cell>;

/** Cells to look up by the key of any node. */
export function byKey<Cell>(cells: Cells<Cell>): ReadonlyMap<string, Cell> {
  return new Map(Object.entries<Cell>(cells));
}

export const schemas: ReadonlyMap<string, OperatorSchema> = byKey(families);

/** Under which key what is known of a node's operator stands. */
export function keyOf({ domain, op }: Pick<Node, "domain" | "op">): string {
  return domain === "" || domain === "ai.onnx" ? op : `${domain}::${op}`;
}
