import { Command, CommanderError } from "commander";
import type { ExitCode } from "./terminal/failure.js";
import { joinLists } from "./terminal/join-lists.js";
import { shownArgument } from "./terminal/shown-path.js";
import { createOutput } from "./terminal/output.js";
import type { VerbContext, VerbEntry } from "./terminal/verb.js";
import { verbs } from "./verbs/verbs.js";
import { version } from "./terminal/version.js";

/** Runs the command line and sets the exit code. Only what the verb needs is loaded. */
export async function main(argv: readonly string[]): Promise<void> {
  const typed = argv.slice(2);
  process.stdout.on("error", endQuietly);
  const stop = new AbortController();
  process.on("SIGINT", () => interrupt(stop));
  process.on("SIGTERM", () => interrupt(stop));
  let code: ExitCode = 0;
  const context: VerbContext = {
    signal: stop.signal,
    typed: ["pare", ...typed.map(shownArgument)].map(quoted).join(" "),
    output: createOutput,
    exit: (wanted) => (code = wanted),
  };
  try {
    const program = await build(typed, context);
    await program.parseAsync(joinLists(typed), { from: "user" });
  } catch (error) {
    code = await report(error, typed.includes("--json"));
  }
  process.exitCode = code;
  // Nothing may keep a finished command from ending; but what was written has to arrive first.
  process.stdout.write("", () => process.exit(code));
}

async function build(typed: readonly string[], context: VerbContext): Promise<Command> {
  const program = new Command("pare")
    .description("Makes ONNX models small and fast enough for the edge, without Python.")
    .version(version(), "-V, --version")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError();
  const used = typed.find((argument) => verbs.some(({ name }) => name === argument));
  for (const verb of verbs) await addVerb(program, verb, verb.name === used, context);
  if (typed.length === 0) {
    process.stderr.write(program.helpInformation());
    throw new CommanderError(2, "pare.noVerb", "");
  }
  return program;
}

async function addVerb(
  program: Command,
  verb: VerbEntry,
  used: boolean,
  context: VerbContext,
): Promise<void> {
  const command = program
    .command(verb.name)
    .summary(verb.summary)
    .description(sentence(verb.summary));
  if (!used) return;
  const { define } = await verb.load();
  define(command, context);
  command
    .option("--json", "one JSON document on stdout, and nothing else there")
    .option("--quiet", "no progress and no notes")
    .option("--verbose", "more about what goes on");
}

async function report(error: unknown, json: boolean): Promise<ExitCode> {
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "pare.noVerb")) {
    return error.exitCode === 0 ? 0 : 2;
  }
  const { asPareError, exitCodeOf, failureDocument, failureText } =
    await import("./terminal/failure.js");
  const failure = error instanceof CommanderError ? await usageError(error) : asPareError(error);
  if (json) process.stdout.write(`${JSON.stringify(failureDocument(failure), null, 2)}\n`);
  else process.stderr.write(`${failureText(failure)}\n`);
  return exitCodeOf(failure.code);
}

async function usageError(
  error: CommanderError,
): Promise<Error & import("@pare/runtime/format").PareError> {
  const { PareError } = await import("@pare/runtime/format");
  const [message = "", ...suggestion] = error.message.replace(/^error: /, "").split("\n");
  const said = message.charAt(0).toUpperCase() + message.slice(1);
  const hint = [
    ...suggestion.map((line) => line.replace(/[()]/g, "")),
    "Add --help to see what there is.",
  ].join(" ");
  return new PareError("ARGUMENT", said.endsWith(".") ? said : `${said}.`, { hint });
}

function interrupt(stop: AbortController): void {
  if (stop.signal.aborted) process.exit(130);
  process.stderr.write("\nStopping; press Ctrl-C again to end at once.\n");
  stop.abort(new Error("interrupted"));
}

/** Whoever reads stdout may stop early: `pare inspect m.onnx | head`. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(argument) ? argument : JSON.stringify(argument);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
