import type { OutputOptions } from "../program/output.js";
import type { DefineVerb } from "../program/verb.js";

export const define: DefineVerb = (command, context) => {
  command.action(async (options: OutputOptions) => {
    const output = context.output(options);
    const { examine } = await import("../platform/examine.js");
    const findings = await examine((what) => output.progress(0, what), context.signal);
    const width = Math.max(...findings.map(({ what }) => what.length));
    const lines = findings.map(
      ({ what, ok, found, hint }) =>
        `${ok ? "✓" : "✗"} ${what.padEnd(width)}  ${found}${hint === null ? "" : `\n${" ".repeat(width + 4)}${hint}`}`,
    );
    output.result(lines.join("\n"), { findings });
  });
};
