import { type Report, type ReportCheck, type ReportRow, visibleLine } from "@pare/runtime/format";
import {
  accuracyText,
  amount,
  baselineTime,
  bytes,
  changeText,
  isTimed,
  fromTo,
  smaller,
  speed,
  targetText,
} from "./figures.js";
import { accountsOf, whereText } from "./accounts.js";
import { borderText, keptText, wishText } from "./cut.js";
import { trainingText } from "./learned.js";
import { changeText as stepChange, doneText } from "./shares.js";
import { judgedBy } from "./judged-by.js";
import { expectedText, groupText, timeText, triedText } from "./search-time.js";

/** A job summary takes a megabyte, a comment 64 KB: the smaller of the two. */
const limitBytes = 64_000;
/** What is said of a cut. */
const margin = 200;
const namedFlips = 40;
const namedGroups = 40;

/** The report as Markdown under 64 KB: what fits a comment or a job summary. Longer lists are cut, and say so. */
export function toMarkdown(report: Report): string {
  const parts = [
    head(report),
    variants(report),
    checks(report.checks ?? []),
    flips(report),
    shares(report),
    cut(report),
    learned(report),
    candidates(report),
    steps(report),
    skipped(report),
    footer(report),
  ];
  const whole = parts.filter((part) => part !== "").join("\n\n");
  if (byteLength(whole) <= limitBytes) return `${whole}\n`;
  let kept = whole;
  while (byteLength(kept) > limitBytes - margin)
    kept = kept.slice(
      0,
      kept.lastIndexOf(
        "\n",
        kept.length - Math.max(1, Math.floor((byteLength(kept) - limitBytes + margin) / 4)),
      ),
    );
  const open = kept.split("<details>").length > kept.split("</details>").length;
  // What a job's next step adds to its summary is no part of what is folded.
  return `${kept}\n\n${open ? "</details>\n\n" : ""}… cut here; as HTML and JSON the report is whole: a bundle holds it, and --report html=… json=… writes it.\n`;
}

function byteLength(value: string): number {
  return new TextEncoder().encode(value).byteLength;
}

/** Text that cannot break out of a table's cell or turn into markup. */
function cell(value: string): string {
  const quoted = value.replace(/[\\|`*_<>[\]]/g, (symbol) =>
    symbol === "<" ? "&lt;" : symbol === ">" ? "&gt;" : `\\${symbol}`,
  );
  return visibleLine(quoted.replace(/\s+/g, " "));
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function head(report: Report): string {
  const title = `## ${cell(report.model)}`;
  return report.checks ? `${title}\n\n${verdict(report.checks)}` : title;
}

function verdict(all: readonly ReportCheck[]): string {
  const count = (wanted: ReportCheck["outcome"]): number =>
    all.filter(({ outcome }) => outcome === wanted).length;
  const [missed, inconclusive] = [count("missed"), count("inconclusive")];
  if (missed > 0) return `**${missed} of ${all.length} checks missed.**`;
  return inconclusive > 0
    ? `${all.length - inconclusive} of ${all.length} checks passed, ${inconclusive} inconclusive.`
    : `All ${all.length} checks passed.`;
}

const marks: { readonly [O in ReportCheck["outcome"]]: string } = {
  passed: "✅ passed",
  missed: "❌ missed",
  inconclusive: "❔ inconclusive",
};

function checks(all: readonly ReportCheck[]): string {
  if (all.length === 0) return "";
  return table(
    ["target", "model", "check", "outcome", "why"],
    all.map(({ target, name, what, outcome, reason }) => [
      target,
      cell(name),
      what,
      marks[outcome],
      cell(reason),
    ]),
  );
}

function variants(report: Report): string {
  const rows = report.variants.flatMap((variant) => [
    ...(variant.baseline ? [baselineRow(variant.baseline, variant)] : []),
    row(variant, variant.baseline, variant.precision),
  ]);
  if (rows.length === 0) return "No variants.";
  const untimed = report.variants.flatMap(({ target, latencyMs }) =>
    isTimed(latencyMs) ? [] : [`${target}: ${latencyMs.unmeasured}`],
  );
  const unflipped = report.variants.flatMap(({ accuracy }) => accuracy?.noFlips ?? []);
  const notes = [...new Set([...untimed, ...unflipped])]
    .map((note) => `- ${cell(note)}`)
    .join("\n");
  const against = report.variants.every(isGiven)
    ? "against the baseline"
    : "against the float model";
  return `${table(["target", "model", "precision", "size (brotli)", "latency", judgedBy(report), against], rows)}${notes ? `\n\n${notes}` : ""}`;
}

/** Files that were only compared: whoever names them knows what is in them. */
function isGiven({ precision }: Report["variants"][number]): boolean {
  return precision === "as given";
}

/** The float model's time is the one beside the variant: it shows no other one. */
function baselineRow(baseline: ReportRow, variant: Report["variants"][number]): string[] {
  const { latencyMs } = variant;
  return row(baseline, null, isGiven(variant) ? variant.precision : "float32").with(
    4,
    baselineTime(latencyMs, baseline.latencyMs),
  );
}

function row(each: ReportRow, baseline: ReportRow | null, precision: string): string[] {
  const against = [
    baseline ? smaller(each.sizeBytes, baseline.sizeBytes) : "",
    speed(each.latencyMs),
    changeText(each.accuracy),
  ];
  return [
    targetText(each.target),
    cell(each.name),
    cell(precision),
    bytes(each.sizeBytes.brotli),
    fromTo(each.latencyMs),
    each.accuracy ? `${cell(each.accuracy.metric)} ${accuracyText(each.accuracy)}` : "–",
    against.filter((part) => part !== "").join("; "),
  ];
}

function flips(report: Report): string {
  const sections = report.variants.flatMap(({ target, name, accuracy }) => {
    const flipped = accuracy?.flips;
    if (!flipped || flipped.count === 0) return [];
    const more = flipped.count > namedFlips ? ` and ${flipped.count - namedFlips} more` : "";
    return [
      `- ${cell(name)} on ${target}, ${flipped.count} of ${flipped.n}: ${flipped.samples.slice(0, namedFlips).map(cell).join(", ")}${more}`,
    ];
  });
  return sections.length > 0 ? `### Flipped samples, worst first\n\n${sections.join("\n")}` : "";
}

function candidates(report: Report): string {
  if (report.candidates.length === 0) return "";
  const rows = report.candidates.map((each) => [
    each.target,
    cell(each.name),
    cell(each.precision),
    each.verdict === "chosen" ? "**chosen**" : also("rejected", triedText(each.tried)),
    also(cell(each.reason), expectedText(each.expectedGain)),
  ]);
  return details("Candidates", table(["target", "candidate", "precision", "verdict", "why"], rows));
}

function steps(report: Report): string {
  if (report.steps.length === 0) return "";
  const rows = report.steps.map((each) => [
    each.target,
    also(cell(each.name), cell(groupText(each))),
    also(each.verdict === "kept" ? "kept" : "**reverted**", triedText(each.tried)),
    `${each.nodesBefore} → ${each.nodesAfter}`,
    `${bytes(each.bytesBefore)} → ${bytes(each.bytesAfter)}`,
    cell(each.reason),
  ]);
  return details("Steps", table(["target", "step", "verdict", "nodes", "size", "why"], rows));
}

function shares({ variants: all }: Report): string {
  const rows = all.flatMap(({ target, shares: steps = [] }) =>
    steps.map((share) => [
      target,
      cell(share.use),
      stepChange(share.constantBytes, bytes),
      stepChange(share.parameters, amount),
      share.macs === null ? "–" : stepChange(share.macs, amount),
      cell(doneText(share)),
    ]),
  );
  if (rows.length === 0) return "";
  const columns = ["target", "step", "weights", "parameters", "MACs", "what it did"];
  return details("What each step did", table(columns, rows));
}

function cut(report: Report): string {
  const parts = accountsOf(report, "pruning").map((told) => {
    const { groups, moreGroups, left } = told.account;
    const rows = groups
      .slice(0, namedGroups)
      .map((group) => [cell(group.node), cell(group.op), keptText(group), borderText(group)]);
    const more = groups.length - rows.length + moreGroups;
    return [
      `${cell(whereText(told))}: ${cell(wishText(told.account))}`,
      rows.length === 0 ? "" : table(["layer", "operator", "channels kept", "importance"], rows),
      more === 0 ? "" : `… and ${more} more groups of channels.`,
      left
        .map(
          ({ reason, layers, channels }) =>
            `- ${amount(channels)} channels of ${amount(layers)} ${layers === 1 ? "layer" : "layers"} stay: ${cell(reason)}`,
        )
        .join("\n"),
    ];
  });
  const text = parts.flat().filter((part) => part !== "");
  return text.length === 0 ? "" : details("What was cut", text.join("\n\n"));
}

function learned(report: Report): string {
  const rows = accountsOf(report, "training").map((told) => [
    cell(whereText(told)),
    cell(trainingText(told.account)),
    cell(doneText(told)),
  ]);
  return rows.length === 0
    ? ""
    : details(
        "What was learned",
        table(["step", "training", "from the first epoch to the last"], rows),
      );
}

function also(text: string, more: string): string {
  return more === "" ? text : `${text} (${more})`;
}

function details(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

function skipped(report: Report): string {
  return report.skipped
    .map(({ target, reason }) => `- ${targetText(target)} skipped: ${cell(reason)}`)
    .join("\n");
}

/** Other machines, other figures: what these were made on. */
function ground({ environment, variants }: Report): string {
  const rows = Object.entries(environment).map(([name, value]) => `${cell(name)} ${cell(value)}`);
  const notes = variants.flatMap(({ target, restsOn }) =>
    restsOn ? [`${targetText(target)}: ${cell(restsOn)}`] : [],
  );
  const on = rows.length === 0 ? [] : [`What the figures rest on: ${rows.join("; ")}.`];
  return [...on, ...notes].join(" ");
}

function footer(report: Report): string {
  const { data } = report;
  const used =
    data.source === null
      ? "No data."
      : `Data: ${cell(data.source)}; ${data.calibration} samples to calibrate, ${data.validation} to choose, ${data.test} to test; seed ${data.seed}.`;
  const shapes = Object.entries(report.shapes).map(
    ([name, dims]) => `${cell(name)} ${dims.join("×")}`,
  );
  return [
    used,
    data.caveat ? cell(data.caveat) : "",
    report.time ? cell(timeText(report.time)) : "",
    shapes.length > 0 ? `Measured with ${shapes.join(", ")}.` : "",
    ground(report),
    report.nextStep ? `**Next:** ${cell(report.nextStep)}` : "",
  ]
    .filter((part) => part !== "")
    .join("\n");
}
