import { type Executor, isPareError, onnxArtifact } from "@pare/runtime/format";
import { build, newHeader, tensorType } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { blocksDomain, blocksVersion } from "./blocked-convolutions.js";
import type { TrainRequest } from "./train-request.js";

/** More than any processor takes side by side. */
const channels = 64;
const known = new WeakMap<Executor, Promise<number | null>>();

/**
 * How many channels an engine convolves side by side: 8 or 16 with onnxruntime, by the processor. It is asked to put some in
 * that order, and where they come to lie says how many.
 * @returns null where it knows no such order
 */
export function channelBlockOf(executor: Executor, signal?: AbortSignal): Promise<number | null> {
  const before = known.get(executor);
  if (before !== undefined) return before;
  const asked = ask(executor, signal);
  known.set(executor, asked);
  // Who was interrupted has no answer for others.
  asked.catch(() => known.delete(executor));
  return asked;
}

/** The same of a request's engine; null also where its model has nothing that it is needed for. */
export async function channelBlockFor({
  model,
  engine,
  executor,
  signal,
}: TrainRequest): Promise<number | null> {
  const convolves = [...model.allNodes()].some(({ op }) => op.startsWith("Conv"));
  return convolves && engine === "cpu" ? channelBlockOf(executor, signal) : null;
}

async function ask(executor: Executor, signal: AbortSignal | undefined): Promise<number | null> {
  const dims = [1, channels, 1, 2];
  const graph = build(newHeader(), inferNode, (editor) => {
    editor.setOpset(blocksDomain, blocksVersion);
    const x = editor.addInput("x", tensorType("float32", dims));
    const y = editor.add1("ReorderInput", [x], {}, { domain: blocksDomain, outputs: ["y"] });
    editor.setType(y, tensorType("float32", dims));
    editor.addOutput(y);
  });
  const { proto } = await encodeModel(graph);
  try {
    const session = await executor.load(onnxArtifact(proto), { signal });
    try {
      const data = Float32Array.from({ length: 2 * channels }, (_, index) => index);
      const { y } = await session.run({ x: { type: "float32", dims, data } }, signal);
      // The second place of the first channel lies behind the first places of a block.
      const block = Array.from(y?.data ?? [], Number).indexOf(1);
      return block > 1 ? block : null;
    } finally {
      await session.dispose();
    }
  } catch (error) {
    if (isPareError(error) && error.code === "ENGINE") return null;
    throw error;
  }
}
