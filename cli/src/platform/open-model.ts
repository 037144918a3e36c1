import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Graph, ModelSource } from "@pare/compiler";
import { PareError, type ValueInfo } from "@pare/runtime/format";
import { ExternalFiles } from "./external-files.js";
import { openFileSource } from "./file-source.js";

/** A model's file and those beside it that it names; weights are read from them when they are needed. */
export interface ModelFile {
  readonly source: ModelSource;
  close(): void;
}

/** @throws PareError MODEL_NOT_FOUND, PERMISSION */
export function openModelFile(path: string): ModelFile {
  if (existsSync(join(path, "manifest.json")))
    throw new PareError("MODEL_NOT_FOUND", `${path} is a bundle, but an ONNX file is needed.`, {
      where: path,
      hint: `Name the model that it was made of, or an .onnx file in ${join(path, "variants")}.`,
    });
  const main = openFileSource(path);
  const beside = new ExternalFiles(dirname(resolve(path)));
  const close = (): void => {
    main.close();
    beside.close();
  };
  return { source: { name: basename(path), main, beside }, close };
}

/** `a/b/kws.onnx` is `kws`, `a/b/model.onnx` is `b`. */
export function modelName(path: string): string {
  const name = basename(path).replace(/\.[a-z]\w*$/i, "");
  const folder = basename(dirname(resolve(path)));
  return name === "model" && folder !== "" ? folder : name;
}

/** What has to be fed: the main graph's inputs without those that have a default. */
export function modelInputs(graph: Graph): readonly ValueInfo[] {
  return graph.main.inputs.flatMap((id) => {
    const value = graph.value(id);
    return value.constant === undefined ? [valueInfo(graph, id)] : [];
  });
}

export function modelOutputs(graph: Graph): readonly ValueInfo[] {
  return graph.main.outputs.map((id) => valueInfo(graph, id));
}

/** An input or output of any kind: dims are null where it is no tensor, or one of an unknown number of dims. */
export type Described =
  | ValueInfo
  | { readonly name: string; readonly type: string; readonly dims: null };

/** As the file declares them, what has a default left out. */
export async function describeInterface(
  graph: Graph,
): Promise<{ inputs: readonly Described[]; outputs: readonly Described[] }> {
  const { typeText } = await import("@pare/compiler");
  const describe = (id: Graph["main"]["inputs"][number]): Described => {
    const { name, type } = graph.value(id);
    const plain = type.kind === "tensor" && type.dtype !== undefined && type.shape !== undefined;
    return plain ? valueInfo(graph, id) : { name, type: typeText(type), dims: null };
  };
  return {
    inputs: graph.main.inputs
      .filter((id) => graph.value(id).constant === undefined)
      .map((id) => describe(id)),
    outputs: graph.main.outputs.map((id) => describe(id)),
  };
}

function article(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;
}

function valueInfo(graph: Graph, id: Graph["main"]["inputs"][number]): ValueInfo {
  const { name, type } = graph.value(id);
  if (type.kind !== "tensor" || type.dtype === undefined) {
    throw new PareError(
      "MODEL_INVALID",
      `"${name}" is no tensor of a known type: ${type.kind === "tensor" ? "its type is not said" : `it is ${article(type.kind)}`}.`,
      {
        where: name,
        hint: "Models that take or give sequences, maps or optionals cannot be compiled.",
      },
    );
  }
  const dims = (type.shape ?? []).map((dim) =>
    typeof dim === "number" ? dim : String(dim).includes("?") ? null : String(dim),
  );
  return { name, type: type.dtype, dims };
}
