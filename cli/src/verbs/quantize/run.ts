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

/** One scale for a whole channel is too coarse for few bits, and around zero one of their numbers would be lost. */
const blocks = { granularity: "block", symmetric: false };

interface Mode {
  /** Of weights, where none are asked for. */
  readonly bits: number;
  /** By the bits of weights. */
  readonly steps: Readonly<Record<number, readonly Step[]>>;
}

const modes: Readonly<Record<string, Mode>> = {
  dynamic: {
    bits: 8,
    // What has no integer kernel is stored small: embeddings, convolutions.
    steps: { 8: [{ use: "quantize-dynamic" }, { use: "quantize-weights" }] },
  },
  static: {
    bits: 8,
    steps: {
      8: [{ use: "quantize-static" }],
      4: [{ use: "quantize-static", with: { bits: 4, weightRanges: "mse" } }],
    },
  },
  weights: {
    bits: 8,
    steps: {
      8: [{ use: "quantize-weights" }],
      4: [{ use: "quantize-weights", with: { bits: 4, ...blocks } }],
      2: [{ use: "quantize-weights", with: { bits: 2, ...blocks, blockSize: 16 } }],
    },
  },
  fp16: { bits: 8, steps: { 8: [{ use: "fp16" }] } },
};

/** What onnxruntime's Python quantizer does, by its own names and defaults. */
const ortModes: Readonly<Record<string, Mode>> = {
  dynamic: { bits: 8, steps: { 8: [{ use: "quantize-dynamic-ort" }] } },
  static: { bits: 8, steps: { 8: [{ use: "quantize-static-ort" }] } },
  weights: {
    bits: 4,
    steps: {
      8: [{ use: "quantize-weights-ort", with: { bits: 8 } }],
      4: [{ use: "quantize-weights-ort" }],
      2: [{ use: "quantize-weights-ort", with: { bits: 2 } }],
    },
  },
};

/** static needs ranges of activations; fp16 leaves float32 those that float16 cannot hold. */
const calibrating: ReadonlySet<string> = new Set(["static", "fp16"]);

/** `pare quantize`: one way of quantizing, nothing measured. */
export async function runQuantize(
  path: string,
  options: QuantizeOptions,
  context: VerbContext,
): Promise<void> {
  // As the file is: the tool simplifies nothing either.
  const first = options.ortCompat === true ? [] : [simplifyStep(options)];
  const steps = [...first, ...modeSteps(options)];
  checkMeasureOptions(options);
  const say = context.output(options);
  const { signal } = context;
  const model = await openModel(path, parseShapes(options), signal);
  let data: StepExamples | null = null;
  try {
    const { mode = defaultMode } = options;
    if (options.data !== undefined) {
      if (calibrating.has(mode))
        data = await openStepExamples(options.data, options, model, steps, say, signal);
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

function modeSteps({
  mode: name = defaultMode,
  bits,
  data,
  ortCompat = false,
}: QuantizeOptions): readonly Step[] {
  const known = ortCompat ? ortModes : modes;
  const mode = Object.hasOwn(known, name) ? known[name] : undefined;
  const among = ortCompat ? " with --ort-compat" : "";
  if (mode === undefined)
    refuse(
      `There is no mode "${name}"${among}.`,
      "--mode",
      `The modes${among} are ${Object.keys(known).join(", ")}.`,
    );
  const steps = mode.steps[bits ?? mode.bits];
  if (steps === undefined)
    refuse(`--bits ${bits} does not go with --mode ${name}${among}.`, "--bits", bitsOf(known));
  if (name === "static" && data === undefined)
    refuse(
      "--mode static needs --data: the ranges of activations come from samples.",
      "--data",
      "Add --data, or use --mode dynamic.",
    );
  return steps;
}

function bitsOf(known: Readonly<Record<string, Mode>>): string {
  const each = Object.entries(known).map(
    ([name, { steps }]) => `${Object.keys(steps).reverse().join(", ")} with --mode ${name}`,
  );
  return `Weights get ${each.join("; ")}.`;
}
