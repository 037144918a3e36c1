import { floatsToHalves } from "@pare/runtime/format";
import { edit, attribute, type Graph, Tensor } from "../ir/index.js";
import { largestHalf, leastWholeHalf } from "../quantize/half.js";
import { integer } from "../pipeline/kinds.js";
import { option } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { bringToFloat32 } from "./normal-form.js";
import { type StoredWeight, storedWeights } from "../analysis/stored-weights.js";

export const fp16Weights = definePass({
  name: "fp16-weights",
  summary:
    "weights stored as float16 and cast to float32 when the model is loaded: half the size, no faster",
  options: {
    minBytes: option(
      integer(),
      1024,
      "Smaller tensors stay as they are; in bytes of their float32 form.",
    ),
  },
  // A float16 has 11 bits: a result that is a weight itself moves by 2^−12 of it, more than rounding may.
  create: ({ minBytes }) => ({
    exactness: "lossy",
    precision: "float16-weights",
    decodedOnceBy: "all",
    run: (graph) => run(graph, minBytes),
  }),
});

async function run(graph: Graph, minBytes: number): Promise<void> {
  await bringToFloat32(graph);
  const stored: { weight: StoredWeight; halves: Uint16Array }[] = [];
  for (const weight of storedWeights(graph, minBytes)) {
    const values = await weight.tensor.readFloat32();
    if (values.some((x) => Math.abs(x) > largestHalf)) {
      graph.leave("fp16-weights", weight.reader, "its weights exceed what float16 can hold");
      continue;
    }
    // Where even the largest has not all digits, a norm behind may make much of them.
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    if (largest > 0 && largest < leastWholeHalf) {
      graph.leave("fp16-weights", weight.reader, "its weights are smaller than what float16 holds");
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
