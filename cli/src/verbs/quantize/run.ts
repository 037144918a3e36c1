import type { Step } from "@pare/compiler";
import { type KeepMetadataOptions, simplifyStep } from "../../workbench/keep-metadata.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";
import type { VerbContext } from "../../terminal/verb.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { runSteps } from "../../workbench/run-steps.js";
import { checkMeasureOptions } from "../../workbench/workbench.js";
import { openStepExamples, type StepExamples } from "../../workbench/step-examples.js";
import type { OutputOptions } from "../../terminal/output.js";
import { refuse } from "../../terminal/refuse.js";

export interface QuantizeOptions
  extends OutputOptions, ShapeOptions, KeepMetadataOptions, NoCheckOptions {
  readonly mode?: string;
  readonly bits?: number;
  readonly data?: string;
  readonly ortCompat?: boolean;
  readonly preprocess?: string;
  readonly seed: number;
  readonly output?: string;
}

const defaultMode = "dynamic";

const modes: Readonly<Record<string, readonly Step[]>> = {
  // What has no integer kernel is stored small: embeddings, convolutions.
  dynamic: [{ use: "quantize-dynamic" }, { use: "quantize-weights" }],
  static: [{ use: "quantize-static" }],
  weights: [{ use: "quantize-weights" }],
  fp16: [{ use: "fp16" }],
};

/** static needs ranges of activations; fp16 leaves float32 those that float16 cannot hold. */
const calibrating: ReadonlySet<string> = new Set(["static", "fp16"]);

/** One scale for a whole channel is too coarse for few bits, and around zero one of their numbers would be lost. */
const blocks = { granularity: "block", symmetric: false };

/** With fewer bits than eight, for the modes that have them. */
const fewBits: Readonly<Record<string, Readonly<Record<number, readonly Step[]>>>> = {
  weights: {
    4: [{ use: "quantize-weights", with: { bits: 4, ...blocks } }],
    2: [{ use: "quantize-weights", with: { bits: 2, ...blocks, blockSize: 16 } }],
  },
  static: { 4: [{ use: "quantize-static", with: { bits: 4, weightRanges: "mse" } }] },
};

/** What onnxruntime's Python quantizer does, by its own names and defaults. */
const ortModes: Readonly<Record<string, (bits?: number) => readonly Step[]>> = {
  dynamic: () => [{ use: "quantize-dynamic-ort" }],
  weights: (bits = 4) => [{ use: "quantize-weights-ort", with: { bits } }],
};

/** `pare quantize`: one way of quantizing, nothing measured. */
export async function runQuantize(
  path: string,
  options: QuantizeOptions,
  context: VerbContext,
): Promise<void> {
  const steps =
    options.ortCompat === true ? ortSteps(options) : [simplifyStep(options), ...modeSteps(options)];
  checkMeasureOptions(options);
  const say = context.output(options);
  const { signal } = context;
  const model = await openModel(path, parseShapes(options), signal);
  let data: StepExamples | null = null;
  try {
    const { mode = defaultMode } = options;
    if (options.data !== undefined) {
      if (calibrating.has(mode))
        data = await openStepExamples(options.data, options, model, say, signal);
      else say.note(`--data is not looked at: --mode ${mode} calibrates nothing.`);
    }
    await runSteps({
      model,
      steps,
      examples: data?.examples,
      training: data?.training,
      seed: options.seed,
      output: options.output,
      suffix: mode,
      check: options.check,
      host: data?.host,
      say,
      signal,
    });
  } finally {
    say.settle();
    await data?.dispose();
    model.close();
  }
}

function modeSteps({ mode = defaultMode, bits = 8, data }: QuantizeOptions): readonly Step[] {
  const steps = Object.hasOwn(modes, mode) ? modes[mode] : undefined;
  if (steps === undefined)
    refuse(
      `There is no mode "${mode}".`,
      "--mode",
      `The modes are ${Object.keys(modes).join(", ")}.`,
    );
  const chosen = bits === 8 ? steps : fewBits[mode]?.[bits];
  if (chosen === undefined)
    refuse(
      `--bits ${bits} does not go with --mode ${mode}.`,
      "--bits",
      "Weights get 8 bits, 4 with --mode weights or static, or 2 with --mode weights.",
    );
  if (mode === "static" && data === undefined)
    refuse(
      "--mode static needs --data: the ranges of activations come from samples.",
      "--data",
      "Add --data, or use --mode dynamic.",
    );
  return chosen;
}

/** As the file is: the tool simplifies nothing either. */
function ortSteps({ mode = defaultMode, bits }: QuantizeOptions): readonly Step[] {
  const steps = Object.hasOwn(ortModes, mode) ? ortModes[mode] : undefined;
  if (steps === undefined)
    refuse(
      `--ort-compat does not go with --mode ${mode}.`,
      "--ort-compat",
      `It goes with ${Object.keys(ortModes).join(", ")}.`,
    );
  return steps(bits);
}
