import type { DefineVerb } from "../../terminal/verb.js";
import { addKeepMetadata } from "../../workbench/keep-metadata.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import type { SimplifyOptions } from "./run.js";

export const define: DefineVerb = (command, context) => {
  command.argument("<model>", "an ONNX file");
  addShapeOptions(command);
  addKeepMetadata(command);
  addNoCheck(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.simplified.onnx in the current folder)",
    )
    .action(async (path: string, options: SimplifyOptions) => {
      const { runSimplify } = await import("./run.js");
      await runSimplify(path, options, context);
    });
};
