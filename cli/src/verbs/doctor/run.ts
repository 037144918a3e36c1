import type { OutputOptions } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { examine } from "./examine.js";

/** `pare doctor`: what this machine can run, and how to get what is missing. */
export async function runDoctor(options: OutputOptions, context: VerbContext): Promise<void> {
  const output = context.output(options);
  try {
    const findings = await examine((what) => output.progress(0, what), context.signal);
    const width = Math.max(...findings.map(({ what }) => what.length));
    const lines = findings.map(
      ({ what, ok, found, hint }) =>
        `${ok ? "✓" : "✗"} ${what.padEnd(width)}  ${found}${hint === null ? "" : `\n${" ".repeat(width + 4)}${hint}`}`,
    );
    output.result(lines.join("\n"), { findings });
  } finally {
    output.settle();
  }
}
