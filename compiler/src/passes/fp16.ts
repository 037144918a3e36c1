import { edit, type Graph, type NodeId, type ValueId } from "../ir/index.js";
import { option } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { clampedHalves, largestHalf, leastWholeHalf } from "../quantize/half.js";
import { Converter } from "./float16/converter.js";
import { type KeepFloat, keepFloatKind, nothingKept } from "./quantization/keep-float.js";
import { countedNodes } from "./float16/counted.js";
import { floatIslands } from "./float16/float-islands.js";
import { fileBytes, firstRounding } from "./float16/quantized-part.js";
import { summedSquares } from "./float16/summed-squares.js";
import { wideActivations } from "./float16/wide-activations.js";
import { bringToNormalForm } from "./normal-form.js";

export const fp16 = definePass({
  name: "fp16",
  summary:
    "all of the model in float16, inputs and outputs in float32 (WebGPU with shader-f16); what reaches beyond float16 on samples stays float32",
  options: {
    keepFloat: option(
      keepFloatKind,
      nothingKept,
      "Nodes by name and operators by type that stay float32 besides those that have no float16 form.",
    ),
  },
  create: ({ keepFloat }) => ({
    exactness: "lossy",
    precision: "float16",
    looksAt: "activations",
    run: (graph, context) => run(graph, keepFloat, context),
  }),
});

const leastMask = 1e9;

/** What is so large, or infinite, or a negative power of ten, masks or bounds: the largest float16 does too. */
function isMask(x: number): boolean {
  return Math.abs(x) >= leastMask || Number.isInteger(Math.log10(-x));
}

async function run(graph: Graph, keepFloat: KeepFloat, context: PassContext): Promise<void> {
  await bringToNormalForm(graph);
  const halves = new Map<ValueId, Uint16Array>();
  const beyond = {
    all: new Set<ValueId>(),
    meant: new Set<ValueId>(),
    small: new Set<ValueId>(),
  };
  for (const { initializers } of graph.allBodies()) {
    for (const value of initializers) {
      const tensor = graph.constant(value);
      if (tensor?.dtype !== "float32") continue;
      const values = await tensor.readFloat32();
      halves.set(value, clampedHalves(values));
      const tooLarge = values.filter((x) => Math.abs(x) > largestHalf);
      if (tooLarge.length > 0) beyond.all.add(value);
      if (!tooLarge.every(isMask)) beyond.meant.add(value);
      const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      if (largest > 0 && largest < leastWholeHalf) beyond.small.add(value);
    }
  }
  const kept = new Map<NodeId, string>(await wideActivations(graph, context, leastMask));
  for (const id of summedSquares(graph))
    kept.set(id, "it sums squares, of which float16 holds those of 2⁻¹² to 255 alone");
  for (const id of countedNodes(graph, beyond.all))
    kept.set(id, "it counts places or sizes, which float16 cannot tell apart");
  for (const id of floatIslands(graph)) kept.set(id, "it is float32 between float16 in the file");
  const convert = (one: Graph): void =>
    edit(one, "fp16", (editor) =>
      new Converter(one, editor, keepFloat, { halves, beyond, kept }).convert(),
    ).verify();
  const rounding = firstRounding(graph);
  if (rounding !== undefined) {
    const trial = graph.fork();
    convert(trial);
    if (fileBytes(trial) >= fileBytes(graph)) {
      graph.leave(
        "fp16",
        rounding,
        "the model is quantized already, and float16 would only add casts",
      );
      return;
    }
  }
  convert(graph);
}
