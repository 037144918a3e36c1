import { lowestOpset, normalOpset } from "@pare/compiler";
import type { OutputOptions } from "../../terminal/output.js";
import { refuse } from "../../terminal/refuse.js";
import type { VerbContext } from "../../terminal/verb.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { runSteps } from "../../workbench/run-steps.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";

export interface ConvertOptions extends OutputOptions, ShapeOptions, NoCheckOptions {
  readonly opset: number;
  readonly output?: string;
}

/** `pare convert`: the model in another opset. */
export async function runConvert(
  path: string,
  options: ConvertOptions,
  context: VerbContext,
): Promise<void> {
  const { opset, output, check } = options;
  if (opset < lowestOpset || opset > normalOpset)
    refuse(
      `--opset is ${opset}, but can be ${lowestOpset} to ${normalOpset}.`,
      "--opset",
      "Newer operators are said in those of that set; a model of a higher one is converted to it.",
    );
  const steps = [{ use: "normalize" }, { use: "lower-opset", with: { opset } }];
  const say = context.output(options);
  const model = await openModel(path, parseShapes(options), context.signal);
  try {
    await runSteps({
      model,
      steps,
      output,
      suffix: `opset${opset}`,
      check,
      say,
      signal: context.signal,
    });
  } finally {
    say.settle();
    model.close();
  }
}
