import { edit, type Graph } from "../ir/index.js";
import { boolean, oneOf } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { defaultsToInitializers } from "./defaults-to-initializers.js";
import { dropUnusedInitializers } from "./drop-unused.js";
import { demandConvertible } from "./ort-compat/demand-convertible.js";
import { DynamicWriter } from "./ort-compat/dynamic-writer.js";
import { readDynamicConstants } from "./ort-compat/dynamic-constants.js";

const described = {
  granularity: option(
    oneOf(["tensor", "channel"]),
    "tensor",
    "What shares a scale: all weights, or of MatMul and LSTM an output channel.",
  ),
  reduceRange: option(boolean, false, "One bit less, of MatMul, Conv and LSTM."),
};

/** What `quantize_dynamic` does: by the names of onnxruntime's Python quantizer, and the same bytes. */
export type DynamicOrtOptions = OptionsOf<typeof described>;

export const quantizeDynamicOrt = definePass({
  name: "quantize-dynamic-ort",
  summary:
    "what onnxruntime's quantize_dynamic writes (1.31.1): MatMulInteger, ConvInteger, DynamicQuantizeLSTM and integer Gather, by the same names and bytes",
  options: described,
  endsFile: true,
  create: (options) => ({
    exactness: "lossy",
    precision: "int8-dynamic",
    run: (graph) => run(graph, options),
  }),
});

/** The tool looks at initializers alone, be they inputs too, and writes Gemm as MatMul and Add even where it rounds none. */
async function run(graph: Graph, options: DynamicOrtOptions): Promise<void> {
  demandConvertible(graph, "quantize-dynamic-ort");
  defaultsToInitializers(graph);
  const constants = await readDynamicConstants(graph, options);
  edit(graph, "quantize-dynamic-ort", (editor) =>
    new DynamicWriter(graph, editor, constants).write(),
  );
  dropUnusedInitializers(graph);
}
