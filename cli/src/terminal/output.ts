import { visibleJson, visibleLine, visibleText } from "@pare/runtime/format";
import { type Bar, progressBar } from "./progress-bar.js";

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** What a verb says: its result to stdout, once; all else to stderr. */
export interface Output {
  readonly verbose: boolean;
  /** The verb's result: text for a reader or, with `--json`, the document. */
  result(text: string, document: unknown): void;
  /** One line about what goes on. Not with `--quiet`. */
  note(line: string): void;
  /** Details, with `--verbose` only. */
  detail(text: string): void;
  /** How far the work is, of 1. A bar on a terminal, else a line now and then. */
  progress(fraction: number, what: string): void;
  /** Takes the bar away. */
  settle(): void;
}

/** What long work says while it goes on. */
export type WorkOutput = Pick<Output, "note" | "detail" | "progress">;

/** Without a terminal, at most one progress line in this many milliseconds. */
const lineEveryMs = 5_000;

/** @param onResult told when the result is said */
export function createOutput(options: OutputOptions, onResult: () => void = () => {}): Output {
  const { json = false, quiet = false, verbose = false } = options;
  const bar = quiet ? null : process.stderr.isTTY ? progressBar(process.stderr) : plainLines();
  const say = (line: string): void => {
    bar?.settle();
    process.stderr.write(`${visibleText(line)}\n`);
  };
  return {
    verbose,
    result(text, document) {
      onResult();
      bar?.settle();
      if (json) process.stdout.write(`${visibleJson(document)}\n`);
      else if (text !== "") process.stdout.write(`${visibleText(text)}\n`);
    },
    note(line) {
      // One line: what a file says in it begins none of its own.
      if (!quiet) say(visibleLine(line));
    },
    detail(text) {
      if (verbose) say(text.trimEnd());
    },
    progress: (fraction, what) => bar?.show(fraction, visibleLine(what)),
    settle: () => bar?.settle(),
  };
}

function plainLines(): Bar {
  let last = Number.NEGATIVE_INFINITY;
  let said = "";
  return {
    show(fraction, what) {
      const line = `${Math.floor(Math.min(1, fraction) * 100)}% ${what}`;
      const now = Date.now();
      if (line === said || now - last < lineEveryMs) return;
      last = now;
      said = line;
      process.stderr.write(`${line}\n`);
    },
    settle() {},
  };
}
