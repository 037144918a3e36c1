import { isWeightedOp } from "../analysis/weighted-node.js";
import { edit, type Graph, Tensor } from "../ir/index.js";
import { number } from "../pipeline/kinds.js";
import { option } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { sliced, strongest } from "../prune/channels.js";
import { type Link, linkBehind } from "./equalization/links.js";
import { bringToNormalForm } from "./normal-form.js";

/** Drops a convolution's weakest output channels, and what the next layer reads of them. */
export const pruneChannels = definePass({
  name: "prune-channels",
  summary: "remove the output channels of convolutions that have the smallest weights",
  options: { keep: option(number, 0.5, "Of a convolution's output channels, from 0 to 1.") },
  create: ({ keep }) => ({ exactness: "lossy", run: (graph) => run(graph, keep) }),
});

async function run(graph: Graph, keep: number): Promise<void> {
  await bringToNormalForm(graph);
  for (const node of graph.order()) {
    if (!isWeightedOp(node)) continue;
    const link = linkBehind(graph, node);
    const why = "why" in link ? link.why : obstacle(graph, link);
    if (why === null && !("why" in link)) await prune(graph, link, keep);
    else graph.leave("prune-channels", node, why ?? "");
  }
}

/** Why the channels between two layers cannot be cut; null where they can. */
function obstacle(graph: Graph, { from, to, shifts }: Link): string | null {
  if (from.linear.kind !== "convolution") return "it is no convolution";
  if (from.group > 1 || to.group > 1) return "its channels are in groups";
  if (shifts.length > 0) return "a constant is added to its channels";
  for (let [next] = graph.consumers(from.node.outputs[0] ?? to.weight); next !== to.node;) {
    if (next === undefined) return "nothing reads its result";
    if (next.inputs.some((id) => isPerChannel(graph.constant(id))))
      return `${next.op} behind it has a number per channel`;
    [next] = graph.consumers(next.outputs[0] ?? to.weight);
  }
  return null;
}

function isPerChannel(tensor: Tensor | undefined): boolean {
  return tensor?.dtype === "float32" && tensor.count > 1;
}

async function prune(graph: Graph, { from, to, each }: Link, keep: number): Promise<void> {
  const { weightTensor: made, axis = 0 } = from;
  const weights = await made.readFloat32();
  const channels = made.dims[axis] ?? 0;
  const count = Math.max(1, Math.round(keep * channels));
  if (count === channels) return;
  const kept = strongest(weights, made.dims, axis, count);
  const read = kept.flatMap((channel) =>
    Array.from({ length: each }, (_, i) => channel * each + i),
  );
  const reading = await to.weightTensor.readFloat32();
  const bias = await from.bias?.tensor.readFloat32();
  edit(graph, "prune-channels", (editor) => {
    const put = (value: typeof from.weight, part: ReturnType<typeof sliced>): void =>
      editor.setConstant(value, Tensor.float32(part.dims, part.values));
    put(from.weight, sliced(weights, made.dims, axis, kept));
    if (from.bias !== null && bias !== undefined)
      put(from.bias.value, sliced(bias, from.bias.tensor.dims, 0, kept));
    put(to.weight, sliced(reading, to.weightTensor.dims, to.axis === 0 ? 1 : 0, read));
    editor.note(from.node, `${count} of ${channels} channels kept`);
  });
}
