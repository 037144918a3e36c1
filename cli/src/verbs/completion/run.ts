import { PareError } from "@pare/runtime/format";
import type { Command } from "commander";
import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { bashScript } from "./bash.js";
import { completable, type CompletableProgram } from "./completable.js";
import { fishScript } from "./fish.js";
import { zshScript } from "./zsh.js";

const scripts: Readonly<Record<string, (program: CompletableProgram) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** `pare completion`: what a shell has to know of the command line, as its own script. */
export function printCompletion(
  shell: string,
  command: Command,
  options: OutputOptions,
  context: VerbContext,
): void {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) {
    throw new PareError("ARGUMENT", `There is no completion for "${shell}".`, {
      where: "pare completion",
      hint: `Say ${Object.keys(scripts).join(", ")}.`,
    });
  }
  const text = script(completable(command.parent ?? command));
  context.output(options).result(text, { shell, script: text });
}
