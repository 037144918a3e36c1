import type { DefineVerb } from "../../terminal/verb.js";
import type { DataOptions } from "./run.js";
import { aModel } from "../../workbench/model-argument.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<model>", aModel)
    .option(
      "-o, --output <file>",
      "where to write the module (default: <model>.data.mjs in the current folder)",
    )
    .option("--force", "overwrite the file if it is there")
    .action(async (path: string, options: DataOptions) => {
      const { writeDataModule } = await import("./run.js");
      await writeDataModule(path, options, context);
    });
};
