import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { type KeepMetadataOptions, simplifyStep } from "../../workbench/keep-metadata.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { runSteps } from "../../workbench/run-steps.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";

export interface SimplifyOptions
  extends OutputOptions, ShapeOptions, KeepMetadataOptions, NoCheckOptions {
  readonly output?: string;
}

/** `pare simplify`: one pass, ONNX in, ONNX out. */
export async function runSimplify(
  path: string,
  options: SimplifyOptions,
  context: VerbContext,
): Promise<void> {
  const say = context.output(options);
  const model = await openModel(path, parseShapes(options), context.signal);
  try {
    const steps = [simplifyStep(options)];
    const { output, check } = options;
    const { signal } = context;
    await runSteps({ model, steps, output, suffix: "simplified", check, say, signal });
  } finally {
    say.settle();
    model.close();
  }
}
