import { integerAtLeast } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import { addNoCheck } from "../../workbench/no-check.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import type { ConvertOptions } from "./run.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", "an ONNX file, or the model.json of a TensorFlow.js graph model")
    .option(
      "--opset <version>",
      "the operator set of ai.onnx to write, 7 to 21 (required of an ONNX file; else 21)",
      integerAtLeast("--opset", 1),
    );
  addShapeOptions(command);
  addNoCheck(command);
  command
    .option(
      "-o, --output <file>",
      "where to (default: <model>.opset<version>.onnx in the current folder, of TensorFlow.js <model>.onnx)",
    )
    .action(async (path: string, options: ConvertOptions) => {
      const { runConvert } = await import("./run.js");
      await runConvert(path, options, context);
    });
};
