import type { BindShapesOptions, Graph } from "@pare/compiler";
import { type ByteSource, sha256, type ValueInfo } from "@pare/runtime/format";
import {
  decodeSource,
  modelInputs,
  modelName,
  modelOutputs,
  openModelFile,
} from "../platform/open-model.js";

/** A model as it is to be measured: with the shapes that were asked for. */
export interface Subject {
  readonly path: string;
  readonly name: string;
  readonly graph: Graph;
  readonly sizeBytes: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** All of it in memory; once. Before any pass changes the graph. */
  read(): Promise<SubjectBytes>;
  close(): void;
}

interface SubjectBytes {
  /** One file: as it is on disk, or written anew where it had external data or constants were set. */
  readonly bytes: Uint8Array;
  /** Of the file on disk. */
  readonly sha256: string;
}

/** @throws PareError MODEL_*, EXTERNAL_DATA, ARGUMENT for shapes that do not fit */
export async function openSubject(
  path: string,
  shapes: BindShapesOptions,
  signal?: AbortSignal,
): Promise<Subject> {
  const file = openModelFile(path);
  try {
    return { ...(await subjectOf(path, file.source, shapes, signal)), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The same of a model that is not a file of its own. @param label how reports name it */
export async function subjectOf(
  label: string,
  source: { readonly proto: ByteSource; readonly external: ReadonlyMap<string, ByteSource> },
  shapes: BindShapesOptions,
  signal?: AbortSignal,
): Promise<Subject> {
  const { encodeModel, findPass } = await import("@pare/compiler");
  const graph = await decodeSource(source, signal);
  const bind = findPass("bind-shapes");
  await bind.create(bind.parse(shapes)).run(graph, signal === undefined ? {} : { signal });
  const externalBytes = [...source.external.values()].reduce((sum, { size }) => sum + size, 0);
  let held: Promise<SubjectBytes> | null = null;
  const readAll = async (): Promise<SubjectBytes> => {
    const file = await source.proto.read(0, source.proto.size);
    const rewritten = source.external.size > 0 || Object.keys(shapes.constants).length > 0;
    return {
      bytes: rewritten ? (await encodeModel(graph)).proto : file,
      sha256: await sha256(file),
    };
  };
  return {
    path: label,
    name: modelName(label),
    graph,
    sizeBytes: source.proto.size + externalBytes,
    inputs: modelInputs(graph),
    outputs: modelOutputs(graph),
    read: () => (held ??= readAll()),
    close: () => {},
  };
}
