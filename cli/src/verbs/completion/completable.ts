import type { Argument, Command, Option } from "commander";

/** What can stand for an option's value, or as an argument. */
export type CompletableValue =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "file" }
  | { readonly kind: "free" };

export interface CompletableOption {
  /** `-o` and `--output`. */
  readonly names: readonly string[];
  readonly about: string;
  /** Null where it takes none. */
  readonly value: CompletableValue | null;
}

export interface CompletableVerb {
  readonly name: string;
  readonly about: string;
  readonly options: readonly CompletableOption[];
  /** What its arguments are; null where it takes none. */
  readonly argument: CompletableValue | null;
}

export interface CompletableProgram {
  readonly name: string;
  readonly options: readonly CompletableOption[];
  readonly verbs: readonly CompletableVerb[];
}

/** A program as a shell has to know it, from what commander knows of it: what its help shows. */
export function completable(program: Command): CompletableProgram {
  const help = program.createHelp();
  const options = (command: Command): readonly CompletableOption[] =>
    help.visibleOptions(command).map(optionOf);
  const verbs = help.visibleCommands(program).map((command) => ({
    name: command.name(),
    about: command.summary() || command.description(),
    options: options(command),
    argument: argumentOf(command.registeredArguments),
  }));
  return { name: program.name(), options: options(program), verbs };
}

function optionOf({ short, long, flags, description }: Option): CompletableOption {
  const [, placeholder] = /[<[](.*)[>\]]$/.exec(flags) ?? [];
  return {
    names: [short, long].flatMap((name) => name ?? []),
    about: description,
    value: placeholder === undefined ? null : valueOf(placeholder),
  };
}

/** A verb's arguments are all alike, or words that only the first one can be. */
function argumentOf([first]: readonly Argument[]): CompletableValue | null {
  if (first === undefined) return null;
  const value = valueOf(first.name());
  return value.kind === "free" ? { kind: "file" } : value;
}

/** `<latency|size>` names its words, `<preset or file>` says what it is. */
function valueOf(placeholder: string): CompletableValue {
  const words = placeholder.split("|");
  if (words.length > 1) return { kind: "words", words };
  return /\b(path|file|folder|lock)\b/.test(placeholder) ? { kind: "file" } : { kind: "free" };
}
