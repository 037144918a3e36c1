import type { ByteSource } from "@pare/runtime/format";
import type { Graph, Infer } from "../ir/index.js";
import { importGraphModel } from "./import-graph-model.js";
import { importLayersModel } from "./layers/import-layers-model.js";
import { readModelJson } from "./model-json.js";

/**
 * A model of TensorFlow.js, of operators or of layers, as a graph of ONNX's operators.
 * @param file as messages name it
 * @throws PareError MODEL_INVALID, MODEL_NAME, MODEL_CYCLE, MODEL_LIMIT, EXTERNAL_DATA, UNSUPPORTED_OP
 */
export async function importTensorflowModel(
  main: ByteSource,
  beside: ReadonlyMap<string, ByteSource>,
  file: string,
  infer: Infer,
): Promise<Graph> {
  const json = await readModelJson(main, file);
  return json.layers === undefined
    ? importGraphModel(json, beside, infer)
    : importLayersModel(json, beside, infer);
}
