import { Command, CommanderError } from "commander";
import type { ExitCode } from "./terminal/failure.js";
import { joinLists } from "./terminal/join-lists.js";
import { quoted } from "./terminal/quoted.js";
import { shownArgument } from "./terminal/shown-path.js";
import type { VerbContext, VerbEntry } from "./terminal/verb.js";
import { verbs } from "./verbs/verbs.js";
import { docsText, version } from "./terminal/package-facts.js";
import { isExitHeld } from "./platform/exit-waits.js";

/** What verbs get besides what is loaded only for them, and who is told that a result is said. */
type MainContext = Omit<VerbContext, "output"> & { readonly onResult: () => void };

/** Runs the command line and sets the exit code. Only what the verb needs is loaded. */
export async function main(argv: readonly string[]): Promise<void> {
  const typed = argv.slice(2);
  process.stdout.once("error", (error) => {
    if (!isUnread(error)) void endForWantOfOutput(error);
  });
  process.stdout.on("error", () => {}); // said once
  // Nobody is left to be told: `pare optimize m.onnx 2>&1 | head`.
  process.stderr.on("error", () => {});
  const stop = new AbortController();
  process.on("SIGINT", () => interrupt(stop));
  process.on("SIGTERM", () => interrupt(stop));
  let code: ExitCode = 0;
  let isSaid = false;
  const context: MainContext = {
    signal: stop.signal,
    typed: ["pare", ...typed.map(shownArgument)].map((each) => quoted(each)).join(" "),
    exit: (wanted) => (code = wanted),
    onResult: () => (isSaid = true),
  };
  try {
    const program = await build(typed, context);
    await program.parseAsync(joinLists(typed), { from: "user" });
  } catch (error) {
    // A result that is said stands, with its exit code, whatever fails after it; of --json it is the only document.
    const inJson = typed.includes("--json") && !isSaid;
    const failed = await report(error, inJson, typed).catch(() => lastWords(error));
    if (code === 0) code = failed;
  }
  process.exitCode = code;
  // Nothing may keep a finished command from ending; but what was written has to arrive first.
  process.stdout.write("", (error) => {
    // Of another failure the stream's own event tells, and ends.
    if (!error || isUnread(error)) process.exit(code);
  });
}

async function build(typed: readonly string[], context: MainContext): Promise<Command> {
  const program = new Command("pare")
    .description("Makes ONNX models small and fast enough for the edge, without Python.")
    .version(version(), "-V, --version")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError();
  program.addHelpText("after", helpAfter(verbs.slice(0, 1)));
  const used = typed.find((argument) => verbs.some(({ name }) => name === argument));
  const needsAll = verbs.some(({ name, needsAll: all }) => name === used && all === true);
  for (const verb of verbs) await addVerb(program, verb, needsAll || verb.name === used, context);
  if (typed.length === 0) {
    process.stderr.write(program.helpInformation());
    throw new CommanderError(2, "pare.noVerb", "");
  }
  return program;
}

/** @param defined with its arguments and options, and not only its row of `--help` */
async function addVerb(
  program: Command,
  verb: VerbEntry,
  defined: boolean,
  context: MainContext,
): Promise<void> {
  const command = program
    .command(verb.name)
    .summary(verb.summary)
    .description(sentence(verb.summary));
  if (!defined) return;
  const [{ define }, { createOutput }] = await Promise.all([
    verb.load(),
    import("./terminal/output.js"),
  ]);
  const { onResult, ...verbContext } = context;
  define(command, { ...verbContext, output: (options) => createOutput(options, onResult) });
  command
    .option("--json", "one JSON document on stdout, and nothing else there")
    .option("--quiet", "no progress and no notes")
    .option("--verbose", "more about what goes on")
    .hook("preAction", demandValues)
    .addHelpText("after", helpAfter([verb]));
}

/** An option without a value is one of a shell's variable that is not set: of a path it would be the current folder. */
function demandValues(command: Command): void {
  for (const [name, value] of Object.entries<unknown>(command.opts())) {
    if (value !== "") continue;
    const flag = command.options.find((option) => option.attributeName() === name)?.long ?? name;
    command.error(`error: option '${flag}' is empty`);
  }
}

/** Examples, and where more is said. */
function helpAfter(of: readonly VerbEntry[]): string {
  const examples = of.flatMap((verb) => verb.examples).map((example) => `  ${example}`);
  return `\n${["Examples:", ...examples].join("\n")}\n\n${docsText()}`;
}

async function report(error: unknown, json: boolean, typed: readonly string[]): Promise<ExitCode> {
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "pare.noVerb")) {
    return error.exitCode === 0 ? 0 : 2;
  }
  const { asPareError, exitCodeOf, failureDocument, failureText } =
    await import("./terminal/failure.js");
  const { visibleJson, visibleText } = await import("@pare/runtime/format");
  const failure =
    error instanceof CommanderError ? await usageError(error, typed) : asPareError(error);
  if (json) process.stdout.write(`${visibleJson(failureDocument(failure))}\n`);
  else process.stderr.write(`${visibleText(failureText(failure))}\n`);
  return exitCodeOf(failure.code);
}

/** Where even what tells of failures cannot be loaded. */
function lastWords(error: unknown): ExitCode {
  const message = error instanceof Error ? error.message.replace(/[^\x20-\x7e]/g, " ") : "";
  const hint = /\bE[MN]FILE\b/.test(message) ? "\n  to do: Raise the limit: ulimit -n 4096." : "";
  process.stderr.write(`error: ${message}${hint}\n  code:  PERMISSION\n`);
  return 2;
}

async function usageError(
  error: CommanderError,
  typed: readonly string[],
): Promise<Error & import("@pare/runtime/format").PareError> {
  const { PareError } = await import("@pare/runtime/format");
  // Of a command to help with that there is none, the library says nothing.
  const whole =
    error.code === "commander.help"
      ? `unknown command '${typed[typed.indexOf("help") + 1] ?? ""}'`
      : error.message;
  const [message = "", ...suggestion] = whole.replace(/^error: /, "").split("\n");
  const said = message.charAt(0).toUpperCase() + message.slice(1);
  const hint = [
    ...suggestion.map((line) => line.replace(/[()]/g, "")),
    "Add --help to see what there is.",
  ].join(" ");
  return new PareError("ARGUMENT", said.endsWith(".") ? said : `${said}.`, { hint });
}

const longestEndMs = 1_200;

function interrupt(stop: AbortController): void {
  if (stop.signal.aborted) process.exit(130);
  process.stderr.write("\nStopping; press Ctrl-C again to end at once.\n");
  stop.abort(new Error("interrupted"));
  endUnlessHeld();
}

/** A browser that starts, or an engine that is slow to end, is not waited for; what would be lost is. */
function endUnlessHeld(): void {
  setTimeout(() => (isExitHeld() ? endUnlessHeld() : process.exit(130)), longestEndMs).unref();
}

/** Whoever reads stdout may stop early: `pare inspect m.onnx | head`. The verb goes on, and its exit code stands. */
function isUnread(error: NodeJS.ErrnoException): boolean {
  return error.code === "EPIPE";
}

/** What cannot be written otherwise is no success. */
async function endForWantOfOutput(error: NodeJS.ErrnoException): Promise<void> {
  const { PareError } = await import("@pare/runtime/format");
  const code = error.code === "ENOSPC" ? "NO_SPACE" : "ARGUMENT";
  const message = `The result cannot be written: ${error.message}`;
  const failure = new PareError(code, message, { where: "the standard output", cause: error });
  process.exit(await report(failure, false, []));
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
