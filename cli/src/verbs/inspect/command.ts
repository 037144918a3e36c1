import type { DefineVerb } from "../../terminal/verb.js";
import { addShapeOptions, severalSizes } from "../../workbench/shape-options.js";
import type { InspectOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command.argument("<model or bundle>", `${aModel}, or a folder that pare optimize wrote`);
  addShapeOptions(command, severalSizes);
  command
    .option("--why", "for a bundle: what was done to each node, by which rule, and why")
    .action(async (path: string, options: InspectOptions) => {
      const { runInspect } = await import("./run.js");
      await runInspect(path, options, context);
    });
};
