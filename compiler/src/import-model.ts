import type { ByteSource } from "@pare/runtime/format";
import { bindForcedSizes } from "./analysis/forced-sizes.js";
import type { Graph } from "./ir/index.js";
import { decodeModel } from "./onnx/index.js";
import { inferNode } from "./ops/index.js";
import { importTensorflowModel } from "./tfjs/import-tensorflow-model.js";

/** A model's file, and those that lie beside it. */
export interface ModelSource {
  /** Of the file: its ending says which format it is in. */
  readonly name: string;
  readonly main: ByteSource;
  /** Files that the model names, by location: ONNX's external data, the weights of other formats. */
  readonly beside: ReadonlyMap<string, ByteSource>;
}

/** A format that models are read in; a room of its own knows it. */
interface Importer {
  readonly format: string;
  /** Of files, with the dot and in lower case. */
  readonly endings: readonly string[];
  read(source: ModelSource, signal: AbortSignal | undefined): Promise<Graph>;
}

const onnx: Importer = {
  format: "onnx",
  endings: [".onnx"],
  read: ({ main, beside }, signal) =>
    decodeModel(
      { proto: main, external: beside },
      { infer: inferNode, inline: true, ...(signal && { signal }) },
    ),
};

const tfjs: Importer = {
  format: "tfjs",
  endings: [".json"],
  read: ({ name, main, beside }) => importTensorflowModel(main, beside, name, inferNode),
};

const importers: readonly Importer[] = [onnx, tfjs];

/** The format that a file of this name is read as: ONNX where its ending says no other. */
export function formatOf(name: string): string {
  return importerOf(name).format;
}

/**
 * A graph of whatever was given, with the types of what its nodes make; a free dim that can have but one size has it. Large
 * tensors stay where they are until they are read.
 * @throws PareError MODEL_*, EXTERNAL_DATA, UNSUPPORTED_OP of TensorFlow.js models, ABORTED
 */
export async function importModel(
  source: ModelSource,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Graph> {
  const importer = importerOf(source.name);
  const graph = await importer.read(source, signal);
  bindForcedSizes(graph);
  return graph;
}

function importerOf(name: string): Importer {
  const plain = name.toLowerCase();
  return importers.find(({ endings }) => endings.some((ending) => plain.endsWith(ending))) ?? onnx;
}
