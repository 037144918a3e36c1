import type { OutputOptions } from "../../terminal/output.js";
import type { DefineVerb } from "../../terminal/verb.js";

export const define: DefineVerb = (command, context) => {
  command.action(async (options: OutputOptions) => {
    const { runDoctor } = await import("./run.js");
    await runDoctor(options, context);
  });
};
