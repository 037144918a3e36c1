import { addShapeOptions, type ShapeOptions } from "../prepare/shape-options.js";
import { collectPairs, type Pairs } from "../program/option-values.js";
import type { OutputOptions } from "../program/output.js";
import type { DefineVerb } from "../program/verb.js";

export interface RunOptions extends OutputOptions, ShapeOptions {
  readonly input?: Pairs;
  readonly preprocess?: string;
  readonly target?: string;
  readonly output?: string;
}

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model or bundle>", "an ONNX file, or a folder that pare optimize wrote")
    .option("--input <list>", "name=file: .npy, .json, or an image", collectPairs("--input"))
    .option(
      "--preprocess <preset or file>",
      "for images: imagenet, 0..1, -1..1, yolo, or a preprocessor_config.json",
    )
    .option("--target <target>", "cpu, wasm or webgpu (default: the first that runs here)");
  addShapeOptions(command);
  command
    .option("-o, --output <folder>", "write each output there as .npy (default: print them)")
    .action(async (path: string, options: RunOptions) => {
      const { runOnce } = await import("../run/run-once.js");
      await runOnce(path, options, context);
    });
};
