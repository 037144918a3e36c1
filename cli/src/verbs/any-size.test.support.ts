import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";

/** A small model that takes pictures of any size, so that it cannot be compiled before somebody says one. */
export async function anySize(folder: string): Promise<string> {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[N, 3, H, W]) -> (y) {\n  %1 = GlobalAveragePool(x)\n  %2 = Softmax(%1) {axis = 1}\n  return %2\n}\n",
  );
  const file = join(folder, "any-size.onnx");
  await writeFile(file, (await encodeModel(graph)).proto);
  return file;
}
