import { PareError } from "@pare/runtime/format";
import { addShapeOptions, parseShapes, type ShapeOptions } from "../prepare/shape-options.js";
import { integerAtLeast } from "../program/option-values.js";
import type { OutputOptions } from "../program/output.js";
import type { DefineVerb } from "../program/verb.js";

interface ConvertOptions extends OutputOptions, ShapeOptions {
  readonly opset: number;
  readonly output?: string;
}

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", "an ONNX file")
    .requiredOption(
      "--opset <version>",
      "the operator set of ai.onnx to write",
      integerAtLeast("--opset", 1),
    );
  addShapeOptions(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.opset<version>.onnx in the current folder)",
    )
    .action(async (path: string, options: ConvertOptions) => {
      const say = context.output(options);
      if (options.opset < 7 || options.opset > 21) {
        throw new PareError("ARGUMENT", `--opset is ${options.opset}, but can be 7 to 21.`, {
          where: "--opset",
        });
      }
      const { openSubject } = await import("../prepare/subject.js");
      const { runSteps } = await import("../transform/run-steps.js");
      const subject = await openSubject(path, parseShapes(options), context.signal);
      try {
        const steps = [
          { use: "normalize" },
          { use: "lower-opset", with: { opset: options.opset } },
        ];
        await runSteps({
          subject,
          steps,
          output: options.output,
          suffix: `opset${options.opset}`,
          say,
          signal: context.signal,
        });
      } finally {
        say.settle();
        subject.close();
      }
    });
};
