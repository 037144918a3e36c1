import type { Command } from "commander";
import type { ExitCode } from "./failure.js";
import type { Output, OutputOptions } from "./output.js";

/** What a verb's action is handed. */
export interface VerbContext {
  /** Raised at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** The command as it was typed, with absolute paths from the current folder: for reports. */
  readonly typed: string;
  output(options: OutputOptions): Output;
  /** A budget or gate was missed, though the result is there: 3. */
  exit(code: ExitCode): void;
}

/** Adds arguments, options and the action to the verb's command. What is heavy is imported inside the action. */
export type DefineVerb = (command: Command, context: VerbContext) => void;

/** A row of `--help`; the rest of a verb is loaded when it is used. */
export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  /** Whole commands, one or two, for its `--help`. */
  readonly examples: readonly string[];
  /** It looks at all the others' options, so that they have to be there. */
  readonly needsAll?: boolean;
  load(): Promise<{ readonly define: DefineVerb }>;
}
