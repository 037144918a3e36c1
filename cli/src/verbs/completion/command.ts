import type { OutputOptions } from "../../terminal/output.js";
import type { DefineVerb } from "../../terminal/verb.js";

export const define: DefineVerb = (command, context) => {
  command
    .argument("<bash|zsh|fish>", "the shell")
    .action(async (shell: string, options: OutputOptions) => {
      const { printCompletion } = await import("./run.js");
      printCompletion(shell, command, options, context);
    });
};
