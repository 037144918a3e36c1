import { isRecord, PareError } from "@pare/runtime/format";

/** Weights that lie in shards, one after another. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly Weight[];
}

export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype: "float32" | "int32" | "bool" | "string";
  readonly stored: Stored;
}

/** How a weight's elements are stored: as they are, or in fewer bytes. */
export type Stored =
  | { readonly as: "itself" | "float16" }
  | { readonly as: "uint8" | "uint16"; readonly scale: number; readonly min: number };

/** @throws PareError MODEL_INVALID naming the weight */
export function weightGroups(manifest: unknown, file: string): readonly WeightGroup[] {
  if (manifest === undefined) return [];
  if (!Array.isArray(manifest)) throw wrong(file, "weightsManifest", "is no list");
  return manifest.map((group: unknown, at) => {
    const { paths, weights } = isRecord(group) ? group : {};
    if (!Array.isArray(paths) || !paths.every((path) => typeof path === "string"))
      throw wrong(file, `weightsManifest[${at}]`, "has no paths");
    if (!Array.isArray(weights)) throw wrong(file, `weightsManifest[${at}]`, "has no weights");
    return { paths, weights: weights.map((weight: unknown) => weightOf(weight, file)) };
  });
}

function weightOf(weight: unknown, file: string): Weight {
  const { name, shape, dtype, quantization } = isRecord(weight) ? weight : {};
  if (typeof name !== "string") throw wrong(file, "A weight", "has no name");
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw wrong(file, name, "has no shape");
  switch (dtype) {
    case "float32":
    case "int32":
    case "bool":
    case "string":
      return { name, dims: shape, dtype, stored: storedOf(quantization, name, file) };
    default:
      throw wrong(file, name, `is of the type ${JSON.stringify(dtype)}, which is not read`);
  }
}

function storedOf(quantization: unknown, name: string, file: string): Stored {
  if (quantization === undefined) return { as: "itself" };
  const { dtype, scale, min } = isRecord(quantization) ? quantization : {};
  if (dtype === "float16") return { as: dtype };
  if (
    (dtype === "uint8" || dtype === "uint16") &&
    typeof scale === "number" &&
    typeof min === "number"
  )
    return { as: dtype, scale, min };
  throw wrong(file, name, "is quantized in a way that is not known");
}

function wrong(file: string, what: string, why: string): PareError {
  return new PareError("MODEL_INVALID", `In ${file}, ${what} ${why}.`, { where: what });
}
