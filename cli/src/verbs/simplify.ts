import { addShapeOptions, parseShapes, type ShapeOptions } from "../prepare/shape-options.js";
import type { OutputOptions } from "../program/output.js";
import type { DefineVerb } from "../program/verb.js";

interface SimplifyOptions extends OutputOptions, ShapeOptions {
  readonly output?: string;
}

export const define: DefineVerb = (command, context) => {
  command.argument("<model>", "an ONNX file");
  addShapeOptions(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.simplified.onnx in the current folder)",
    )
    .action(async (path: string, options: SimplifyOptions) => {
      const say = context.output(options);
      const { openSubject } = await import("../prepare/subject.js");
      const { runSteps } = await import("../transform/run-steps.js");
      const subject = await openSubject(path, parseShapes(options), context.signal);
      try {
        const steps = [{ use: "simplify" }];
        await runSteps({
          subject,
          steps,
          output: options.output,
          suffix: "simplified",
          say,
          signal: context.signal,
        });
      } finally {
        say.settle();
        subject.close();
      }
    });
};
