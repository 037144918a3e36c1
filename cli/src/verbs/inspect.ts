import { addShapeOptions, parseShapes, type ShapeOptions } from "../prepare/shape-options.js";
import type { OutputOptions } from "../program/output.js";
import type { DefineVerb } from "../program/verb.js";

interface InspectOptions extends OutputOptions, ShapeOptions {
  readonly why?: boolean;
}

export const define: DefineVerb = (command, context) => {
  command.argument("<model or bundle>", "an ONNX file, or a folder that pare optimize wrote");
  addShapeOptions(command);
  command
    .option("--why", "for a bundle: what was done to each node, by which rule, and why")
    .action(async (path: string, options: InspectOptions) => {
      const output = context.output(options);
      const { isBundle } = await import("../platform/bundle-files.js");
      if (await isBundle(path)) {
        const { inspectBundle } = await import("../inspect/inspect-bundle.js");
        const { text, document } = await inspectBundle(path, options.why === true);
        output.result(text, document);
        return;
      }
      const { inspectModel } = await import("../inspect/inspect-model.js");
      const { text, document } = await inspectModel(
        path,
        parseShapes(options),
        options.why === true,
        context.signal,
      );
      output.result(text, document);
    });
};
