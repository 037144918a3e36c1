import { PareError } from "@pare/runtime/format";
import { edit, type Graph, type ValueId } from "../ir/index.js";
import type { Wanted } from "../pipeline/activations.js";
import { boolean, oneOf } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import type { Range } from "../quantize/scale.js";
import { defaultsToInitializers } from "./defaults-to-initializers.js";
import { dropUnusedInitializers } from "./drop-unused.js";
import { demandConvertible } from "./ort-compat/demand-convertible.js";
import { type StaticMarks, staticMarks } from "./ort-compat/static-marks.js";
import { staticConstants } from "./ort-compat/static-parameters.js";
import { type AdjustedRange, adjustedRanges } from "./ort-compat/static-ranges.js";
import { StaticWriter } from "./ort-compat/static-writer.js";

const described = {
  activations: option(oneOf(["int8", "uint8"]), "int8", "What activations become."),
  granularity: option(
    oneOf(["tensor", "channel"]),
    "tensor",
    "What shares a scale: all weights, or those of an output channel.",
  ),
  reduceRange: option(boolean, false, "One bit less, of constants."),
};

type Options = OptionsOf<typeof described>;

const name = "quantize-static-ort";

export const quantizeStaticOrt = definePass({
  name,
  summary:
    "what onnxruntime's quantize_static writes (1.31.1): QDQ of every operator that it takes, ranges from all that was seen, by the same names",
  options: described,
  endsFile: true,
  create: (options) => ({
    exactness: "lossy",
    precision: "int8",
    needs: "activations",
    calibratesOnAll: true,
    run: (graph, context) => run(graph, context, options),
  }),
});

async function run(graph: Graph, context: PassContext, options: Options): Promise<void> {
  demandConvertible(graph, name);
  demandFloat(graph);
  defaultsToInitializers(graph);
  const marks = staticMarks(graph, options.granularity === "channel");
  const ranges = await rangesOf(graph, marks, context);
  const constants = await staticConstants(graph, marks, ranges, options);
  edit(graph, name, (editor) => new StaticWriter(graph, editor, marks, constants).write());
  dropUnusedInitializers(graph);
}

/** @throws PareError UNSUPPORTED_OP */
function demandFloat(graph: Graph): void {
  for (const node of graph.allNodes())
    if (node.op === "QuantizeLinear" || node.op === "DequantizeLinear")
      throw new PareError(
        "UNSUPPORTED_OP",
        `${name} wants a float model; this one has ${node.op}.`,
        {
          where: graph.nodeLabel(node),
          hint: "Quantize the model as it was in float32.",
        },
      );
}

async function rangesOf(
  graph: Graph,
  marks: StaticMarks,
  { activations, signal, onProgress }: PassContext,
): Promise<ReadonlyMap<ValueId, Range>> {
  const ranges = new Map<ValueId, Range>();
  const sources = new Map<ValueId, ValueId>();
  const adjusted = adjustedRanges(graph);
  for (const [value, { kind }] of marks.values) {
    if (kind === "shared" || graph.constant(value) !== undefined) continue;
    const how: AdjustedRange = adjusted.get(value) ?? { kind: "of", value };
    if (how.kind === "given") ranges.set(value, how.range);
    else sources.set(value, how.value);
  }
  if (sources.size === 0) return ranges;
  if (activations === undefined)
    throw new PareError(
      "DATA_NOT_FOUND",
      `${name} measures activations, but there is no data to measure them on.`,
      { where: name, hint: "Give data with --data, or take --mode dynamic or weights." },
    );
  const wanted = [...new Set(sources.values())].map((value): Wanted => ({
    value,
    statistic: { kind: "extremes" },
  }));
  const observed = await activations.observe(graph, wanted, { pass: name, signal, onProgress });
  for (const [value, source] of sources) {
    const range = observed.ranges.get(source);
    if (range !== undefined) ranges.set(value, range);
  }
  return ranges;
}
