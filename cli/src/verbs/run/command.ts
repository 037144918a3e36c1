import { measurableTargets } from "@pare/bench";
import { addPreprocess } from "../../workbench/data-options.js";
import { addShapeOptions } from "../../workbench/shape-options.js";
import { collectPairs } from "../../terminal/option-values.js";
import type { DefineVerb } from "../../terminal/verb.js";
import type { RunOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model or bundle>", `${aModel}, or a folder that pare optimize wrote`)
    .option(
      "--input <list>",
      "name=file: .npy, .json, an image, or a WAV file",
      collectPairs("--input"),
    );
  addPreprocess(command);
  command.option(
    `--target <${measurableTargets.join("|")}>`,
    "where to run it (default: the first that runs here)",
  );
  addShapeOptions(command);
  command
    .option("-o, --output <folder>", "write each output there as .npy (default: print them)")
    .action(async (path: string, options: RunOptions) => {
      const { runOnce } = await import("./run.js");
      await runOnce(path, options, context);
    });
};
