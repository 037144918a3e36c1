import { appendFile } from "node:fs/promises";
import { toBenchmarkAction, toHtml, toJson, toJUnit, toMarkdown } from "@pare/bench";
import { PareError, type Report } from "@pare/runtime/format";
import type { Output } from "../terminal/output.js";
import type { Pairs } from "../terminal/option-values.js";
import { fileError } from "../platform/file-error.js";
import { writeFileAtomic } from "../platform/write-file.js";

const formats: Readonly<Record<string, (report: Report) => string>> = {
  html: toHtml,
  md: toMarkdown,
  junit: toJUnit,
  "benchmark-action": toBenchmarkAction,
  json: toJson,
};

/** @throws PareError ARGUMENT for a format that there is not; before anything is measured */
export function checkReportFormats(wanted: Pairs | undefined): void {
  for (const [format] of wanted ?? []) {
    if (!Object.hasOwn(formats, format)) {
      throw new PareError("ARGUMENT", `There is no report format "${format}".`, {
        where: "--report",
        hint: `Write --report ${Object.keys(formats).join("=… ")}=…`,
      });
    }
  }
}

/** Writes what `--report` names, and appends the Markdown to a job's summary where GITHUB_STEP_SUMMARY is set. */
export async function writeReports(
  report: Report,
  wanted: Pairs | undefined,
  output: Output,
): Promise<void> {
  for (const [format, path] of wanted ?? []) {
    const write = formats[format];
    if (write === undefined) continue;
    await writeFileAtomic(path, write(report));
    output.detail(`Wrote ${path}`);
  }
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary) {
    await appendFile(summary, `${toMarkdown(report)}\n`).catch((cause: unknown) => {
      throw fileError(cause, summary, "ARGUMENT");
    });
  }
}

/** The reports that lie in a bundle. */
export function bundleReports(report: Report): Readonly<Record<string, string>> {
  return {
    "report.json": toJson(report),
    "report.md": toMarkdown(report),
    "report.html": toHtml(report),
  };
}
