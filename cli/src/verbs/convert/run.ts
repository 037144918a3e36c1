import { basename } from "node:path";
import { formatOf, lowestOpset, normalOpset, type Step } from "@pare/compiler";
import type { OutputOptions } from "../../terminal/output.js";
import { refuse } from "../../terminal/refuse.js";
import type { VerbContext } from "../../terminal/verb.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { runSteps } from "../../workbench/run-steps.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";

export interface ConvertOptions extends OutputOptions, ShapeOptions, NoCheckOptions {
  readonly opset?: number;
  readonly output?: string;
}

/** `pare convert`: the model in another opset, or a model of another format as ONNX. */
export async function runConvert(
  path: string,
  options: ConvertOptions,
  context: VerbContext,
): Promise<void> {
  const { opset, output, check } = options;
  const isOnnx = formatOf(basename(path)) === "onnx";
  if (opset === undefined && isOnnx)
    refuse(
      "--opset is missing: an ONNX file is converted to another operator set.",
      "--opset",
      `Give one of ${lowestOpset} to ${normalOpset}: --opset 17.`,
    );
  if (opset !== undefined && (opset < lowestOpset || opset > normalOpset))
    refuse(
      `--opset is ${opset}, but can be ${lowestOpset} to ${normalOpset}.`,
      "--opset",
      "Newer operators are said in those of that set; a model of a higher one is converted to it.",
    );
  // Formats with channels last come in turned there and back at every layer; nobody wants that in a file.
  const read: readonly Step[] = [{ use: isOnnx ? "normalize" : "simplify" }];
  const steps = opset === undefined ? read : [...read, { use: "lower-opset", with: { opset } }];
  const say = context.output(options);
  const model = await openModel(path, parseShapes(options), context.signal);
  try {
    await runSteps({
      model,
      steps,
      output,
      suffix: isOnnx ? `opset${opset}` : null,
      check,
      say,
      signal: context.signal,
    });
  } finally {
    say.settle();
    model.close();
  }
}
