import { floatsToHalves } from "@pare/runtime/format";
import { edit, attribute, type Graph, Tensor } from "../ir/index.js";
import { largestHalf } from "../quantize/half.js";
import type { Pass, PassDefinition } from "../pipeline/pass.js";
import { bringToNormalForm } from "./quantization/normal-form.js";
import { type StoredWeight, storedWeights } from "../analysis/stored-weights.js";
import { OptionReader } from "../pipeline/options.js";

export interface HalfWeightsOptions {
  /** Smaller tensors stay as they are; bytes in float32. */
  readonly minBytes: number;
}

export const fp16Weights: PassDefinition<"fp16-weights", HalfWeightsOptions> = {
  name: "fp16-weights",
  summary:
    "weights stored as float16 and cast to float32 when the model is loaded: half the size, no faster",
  parse(options) {
    const read = new OptionReader("fp16-weights", options);
    const parsed: HalfWeightsOptions = { minBytes: read.integer("minBytes", 1024) };
    read.done();
    return parsed;
  },
  create: (options): Pass => ({ exactness: "rounding", run: (graph) => run(graph, options) }),
};

async function run(graph: Graph, options: HalfWeightsOptions): Promise<void> {
  bringToNormalForm(graph);
  const stored: { weight: StoredWeight; halves: Uint16Array }[] = [];
  for (const weight of storedWeights(graph, options.minBytes)) {
    const values = await weight.tensor.readFloat32();
    if (values.some((x) => Math.abs(x) > largestHalf)) {
      graph.leave("fp16-weights", weight.reader, "its weights exceed what float16 can hold");
      continue;
    }
    stored.push({ weight, halves: floatsToHalves(values) });
  }
  if (stored.length === 0) return;
  edit(graph, "fp16-weights", (editor) => {
    for (const { weight, halves } of stored) {
      const { name, body: bodyId } = graph.value(weight.value);
      const body = graph.body(bodyId);
      const half = editor.constant(
        `${name}_float16`,
        Tensor.of("float16", weight.tensor.dims, halves),
        body,
      );
      editor.replace(
        weight.value,
        editor.add1("Cast", [half], { to: attribute.int(1) }, { body, outputs: [name] }),
        "",
      );
      editor.note(weight.reader, "weights stored as float16");
    }
  });
}
