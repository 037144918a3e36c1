import { readFile } from "node:fs/promises";
import type { BindShapesOptions, Graph } from "@pare/compiler";
import { sha256, type ValueInfo } from "@pare/runtime/format";
import { modelInputs, modelOutputs, openModel } from "../platform/open-model.js";

/** A model as it is to be measured: with the shapes that were asked for. */
export interface Subject {
  readonly path: string;
  readonly name: string;
  readonly graph: Graph;
  /** One file that holds all of it: as it is on disk, or written anew where it had external data or constants were set. */
  readonly bytes: Uint8Array;
  /** Of the file on disk. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  close(): void;
}

/** @throws PareError MODEL_*, EXTERNAL_DATA, ARGUMENT for shapes that do not fit */
export async function openSubject(
  path: string,
  shapes: BindShapesOptions,
  signal?: AbortSignal,
): Promise<Subject> {
  const model = await openModel(path, signal);
  try {
    const { graph, source } = model;
    const { encodeModel, findPass } = await import("@pare/compiler");
    const bind = findPass("bind-shapes");
    await bind.create(bind.parse(shapes)).run(graph, signal === undefined ? {} : { signal });
    const onDisk = await readFile(path);
    const rewritten = source.external.size > 0 || Object.keys(shapes.constants).length > 0;
    const externalBytes = [...source.external.values()].reduce((sum, { size }) => sum + size, 0);
    return {
      path,
      name: model.name,
      graph,
      bytes: rewritten ? (await encodeModel(graph)).proto : onDisk,
      sha256: await sha256(onDisk),
      sizeBytes: onDisk.byteLength + externalBytes,
      inputs: modelInputs(graph),
      outputs: modelOutputs(graph),
      close: () => model.close(),
    };
  } catch (error) {
    model.close();
    throw error;
  }
}
