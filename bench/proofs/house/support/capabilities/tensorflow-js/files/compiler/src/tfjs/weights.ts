import { type ByteSource, PareError } from "@pare/runtime/format";
import { Tensor } from "../ir/index.js";
import type { GraphModel } from "./graph-model.js";

/** Every weight by name. @throws PareError EXTERNAL_DATA, UNSUPPORTED_OP for another dtype */
export async function readWeights(
  { weightsManifest }: GraphModel,
  beside: ReadonlyMap<string, ByteSource>,
): Promise<ReadonlyMap<string, Tensor>> {
  const found = new Map<string, Tensor>();
  for (const { paths, weights } of weightsManifest) {
    const bytes = await joined(paths, beside);
    let at = 0;
    for (const { name, shape, dtype } of weights) {
      const size = 4 * shape.reduce((product, one) => product * one, 1);
      const data = bytes.slice(at, at + size).buffer;
      at += size;
      if (dtype === "float32") found.set(name, Tensor.float32(shape, new Float32Array(data)));
      else if (dtype === "int32")
        found.set(name, Tensor.int64(Array.from(new Int32Array(data)), shape));
      else throw new PareError("UNSUPPORTED_OP", `"${name}" is ${dtype}.`, { where: name });
    }
  }
  return found;
}

async function joined(
  paths: readonly string[],
  beside: ReadonlyMap<string, ByteSource>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const path of paths) {
    const source = beside.get(path);
    if (source === undefined)
      throw new PareError("EXTERNAL_DATA", `There is no ${path} beside the model.`, {
        where: path,
      });
    parts.push(await source.read(0, source.size));
  }
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
