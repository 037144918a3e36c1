import { type ByteSource, isRecord, PareError } from "@pare/runtime/format";
import { type WeightGroup, weightGroups } from "./weight-manifest.js";

/** What `model.json` says of a model of either kind. */
export interface ModelJson {
  /** As messages name it. */
  readonly file: string;
  readonly topology: Readonly<Record<string, unknown>>;
  /** The configuration of a layers model; undefined of a graph model. */
  readonly layers: unknown;
  readonly signature: unknown;
  readonly weights: readonly WeightGroup[];
}

/** Far above the JSON of any model: its weights lie in files of their own. */
const mostBytes = 256 * 1024 * 1024;

/**
 * The form is that of `ModelJSON` in tfjs-core/src/io/types.ts.
 * @throws PareError MODEL_INVALID, MODEL_LIMIT
 */
export async function readModelJson(main: ByteSource, file: string): Promise<ModelJson> {
  if (main.size > mostBytes)
    throw new PareError("MODEL_LIMIT", `${file} is JSON of ${main.size} bytes.`, {
      where: file,
      hint: `The JSON of a model may have ${mostBytes} bytes.`,
    });
  const model = parse(await main.read(0, main.size), file);
  const topology = model["modelTopology"];
  if (!isRecord(topology)) throw noModel(file, "it has no modelTopology");
  const own = model["userDefinedMetadata"];
  return {
    file,
    topology,
    layers: layersOf(model["format"], topology),
    signature: model["signature"] ?? (isRecord(own) ? own["signature"] : undefined),
    weights: weightGroups(model["weightsManifest"], file),
  };
}

/** Keras wraps the configuration, TensorFlow.js writes it bare; old files do not say in which format they are. */
function layersOf(format: unknown, topology: ModelJson["topology"]): unknown {
  if (Object.hasOwn(topology, "model_config")) return topology["model_config"];
  return format === "layers-model" || Object.hasOwn(topology, "class_name") ? topology : undefined;
}

function parse(bytes: Uint8Array, file: string): Readonly<Record<string, unknown>> {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw noModel(file, "it is no JSON");
  }
  if (!isRecord(data)) throw noModel(file, "it is no object");
  return data;
}

export function noModel(file: string, why: string): PareError {
  return new PareError("MODEL_INVALID", `${file} is no model of TensorFlow.js: ${why}.`, {
    where: file,
    hint: "Give the model.json that tensorflowjs_converter writes, or an ONNX file.",
  });
}
