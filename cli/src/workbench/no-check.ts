import type { Command } from "commander";

export interface NoCheckOptions {
  /** False with `--no-check`. */
  readonly check: boolean;
}

/** `--no-check`, of the verbs that write a model. */
export function addNoCheck(command: Command): void {
  command.option("--no-check", "write the model without asking the CPU engine whether it loads");
}
