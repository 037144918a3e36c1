import { appendFile } from "node:fs/promises";
import { toBenchmarkAction, toHtml, toJson, toJUnit, toMarkdown } from "@pare/bench";
import { PareError, type Report } from "@pare/runtime/format";
import type { Output } from "../terminal/output.js";
import type { Pairs } from "../terminal/option-values.js";
import { demandWritable } from "../platform/demand-writable.js";
import { refuse } from "../terminal/refuse.js";
import { fileError } from "../platform/file-error.js";
import { writeFileAtomic } from "../platform/write-file.js";

const formats: Readonly<Record<string, (report: Report) => string>> = {
  html: toHtml,
  md: toMarkdown,
  junit: toJUnit,
  "benchmark-action": toBenchmarkAction,
  json: toJson,
};

/**
 * Whether what `--report` names can be written, to be asked before anything is measured.
 * @throws PareError ARGUMENT for a format that there is not, and as `demandWritable`
 */
export async function checkReports(wanted: Pairs = []): Promise<void> {
  for (const [format, path] of wanted) {
    if (!Object.hasOwn(formats, format)) {
      throw new PareError("ARGUMENT", `There is no report format "${format}".`, {
        where: "--report",
        hint: `Write --report ${Object.keys(formats).join("=… ")}=…`,
      });
    }
    // As of a shell's variable that is not set.
    if (path === "") refuse(`${format}= names no file.`, "--report", `Write --report ${format}=…`);
  }
  for (const [, path] of wanted) await demandWritable(path);
}

/**
 * Writes what `--report` names, and appends the Markdown to a job's summary where GITHUB_STEP_SUMMARY is set. To be called
 * once the result is said: what fails here is no reason to lose it.
 * @throws PareError as `writeFileAtomic`, the first one, once the other files are written
 */
export async function writeReports(
  report: Report,
  wanted: Pairs = [],
  output: Pick<Output, "note" | "detail">,
): Promise<void> {
  const failures: unknown[] = [];
  for (const [format, path] of wanted) {
    const write = formats[format];
    if (write === undefined) continue;
    try {
      await writeFileAtomic(path, write(report));
      output.detail(`Wrote ${path}`);
    } catch (error) {
      failures.push(error);
    }
  }
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary) {
    await appendFile(summary, `${toMarkdown(report)}\n`).catch((cause: unknown) => {
      // Nobody asked this command for it.
      const { message } = fileError(cause, summary, "ARGUMENT");
      output.note(`The job's summary (GITHUB_STEP_SUMMARY) lacks this report: ${message}`);
    });
  }
  if (failures.length > 0) throw failures[0];
}

/** The reports that lie in a bundle. */
export function bundleReports(report: Report): Readonly<Record<string, string>> {
  return {
    "report.json": toJson(report),
    "report.md": toMarkdown(report),
    "report.html": toHtml(report),
  };
}
