import { type Report, type ReportCheck, visibleText } from "@pare/runtime/format";
import { checksOf } from "./checks.js";

/** JUnit XML: a suite per target, a case per check; a missed budget is a failure, an undecided one is not. */
export function toJUnit(report: Report): string {
  const checks = checksOf(report);
  const targets = [
    ...new Set([
      ...checks.map(({ target }) => target),
      ...report.skipped.map(({ target }) => target),
    ]),
  ];
  const suites = targets.map((target) => {
    const own = checks.filter((check) => check.target === target);
    const skipped = report.skipped.filter((each) => each.target === target);
    const failures = own.filter(({ outcome }) => outcome === "missed").length;
    const cases = [
      ...own.map((check) => testCase(report, check)),
      ...skipped.map(
        ({ reason }) =>
          `    <testcase classname="${attribute(report.model)}.${target}" name="runs here"><skipped message="${attribute(reason)}"/></testcase>`,
      ),
    ];
    return `  <testsuite name="${target}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped.length}" timestamp="${attribute(report.createdAt)}">\n${cases.join("\n")}\n  </testsuite>`;
  });
  const missed = checks.filter(({ outcome }) => outcome === "missed").length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${attribute(report.model)}" tests="${checks.length + report.skipped.length}" failures="${missed}">\n${suites.join("\n")}\n</testsuites>\n`;
}

function testCase(report: Report, { target, name, what, outcome, reason }: ReportCheck): string {
  const open = `    <testcase classname="${attribute(report.model)}.${target}" name="${attribute(`${name}: ${what}`)}"`;
  if (outcome !== "missed")
    return `${open}><system-out>${text(`${outcome}: ${reason}`)}</system-out></testcase>`;
  const flips = report.variants.find(
    (variant) => variant.target === target && variant.name === name,
  )?.accuracy?.flips;
  const named = flips && flips.count > 0 ? `\nFlipped: ${flips.samples.join(", ")}` : "";
  return `${open}><failure message="${attribute(reason)}">${text(reason + named)}</failure></testcase>`;
}

/** Text in which what is unseen is written out, without what else XML forbids even as a reference: halves of surrogate pairs. */
function text(value: string): string {
  return visibleText(value)
    .replace(/[\p{Cs}\ufffe\uffff]/gu, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}

function attribute(value: string): string {
  return text(value).replace(/"/g, "&quot;").replace(/\n/g, "&#10;");
}
