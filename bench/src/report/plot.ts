import type { Accuracy, Measurement, Report, ReportRow, TargetName } from "@pare/runtime/format";
import { bytes, changeText, fromTo, isTimed, metricValue, targetText } from "./figures.js";
import { html, type Markup } from "./markup.js";
import { panel, type Point } from "./panel.js";

type Measured = Pick<Measurement, "sizeBytes" | "latencyMs" | "accuracy">;

/** A figure per target of what was written, all of it as the test samples saw it; null where there is nothing to compare. */
export function writtenPlot(report: Report): Markup | null {
  return figures(report, "test", (target) => {
    const variants = report.variants.filter((each) => each.target === target);
    const points = variants.map((variant, index) =>
      pointOf(variant, variant.name, "chosen", String(index + 1)),
    );
    return withFloat(report, target, points);
  });
}

/** A figure per target of what was tried, all of it as the validation samples saw it. */
export function triedPlot(report: Report): Markup | null {
  if (report.candidates.length < 2) return null;
  return figures(report, "validation", (target) => {
    const points = numbered(report, target).flatMap(({ number, candidate }) => {
      const { name, verdict, measurement, searched = null } = candidate;
      // What was chosen was measured again, on the test samples: here it stands as the search saw it.
      const seen = verdict === "chosen" ? searched : measurement;
      return seen === null ? [] : [pointOf(seen, name, verdict, String(number))];
    });
    return withFloat(report, target, points);
  });
}

/** Numbers of a target's candidates, as the table counts them. */
export function numbered(
  report: Report,
  target: TargetName,
): { readonly number: number; readonly candidate: Report["candidates"][number] }[] {
  return report.candidates
    .filter((candidate) => candidate.target === target)
    .map((candidate, index) => ({ number: index + 1, candidate }));
}

/** A model where it was measured. */
export function pointOf(
  measured: Measured,
  name: string,
  kind: Point["kind"],
  mark: string,
): Point {
  const { sizeBytes, latencyMs, accuracy } = measured;
  const ratio = isTimed(latencyMs) ? latencyMs.ratio : null;
  return {
    name,
    kind,
    mark,
    size: { value: sizeBytes.brotli, interval: null },
    latency:
      ratio === null || !isTimed(latencyMs)
        ? null
        : { value: ratio, interval: latencyMs.ratioInterval },
    drop: dropOf(accuracy),
    about: [name, bytes(sizeBytes.brotli), fromTo(latencyMs), accuracyLine(accuracy)].join("\n"),
  };
}

/** A drop that is no number stands nowhere. */
function dropOf(accuracy: Accuracy | null): Point["drop"] {
  if (accuracy === null || accuracy.drop === null || !Number.isFinite(accuracy.drop)) return null;
  const interval = accuracy.dropInterval;
  return { value: accuracy.drop, interval: interval?.every(Number.isFinite) ? interval : null };
}

function accuracyLine(accuracy: Accuracy | null): string {
  if (accuracy === null) return "accuracy not measured";
  const { metric, value, n } = accuracy;
  return `${metric} ${metricValue(value)} on ${n} samples ${changeText(accuracy)}`.trim();
}

/** What the others are held against: no drop, a latency of 1. */
export function withFloat(
  report: Report,
  target: TargetName,
  points: readonly Point[],
): readonly Point[] {
  const baseline = report.variants.find((each) => each.target === target)?.baseline ?? null;
  if (baseline === null || points.length === 0) return points;
  return [floatPoint(baseline, points), ...points];
}

function floatPoint({ sizeBytes }: ReportRow, points: readonly Point[]): Point {
  const isTold = (what: "latency" | "drop"): boolean => points.some((each) => each[what] !== null);
  return {
    name: "float model",
    kind: "float",
    mark: "float",
    size: { value: sizeBytes.brotli, interval: null },
    latency: isTold("latency") ? { value: 1, interval: null } : null,
    drop: isTold("drop") ? { value: 0, interval: null } : null,
    about: `float model\n${bytes(sizeBytes.brotli)}`,
  };
}

function figures(
  report: Report,
  split: "test" | "validation",
  pointsOn: (target: TargetName) => readonly Point[],
): Markup | null {
  const named = [...report.variants, ...report.candidates].map(({ target }) => target);
  const all = [...new Set(named)].flatMap((target) => {
    const points = pointsOn(target);
    return points.length < 2 ? [] : [figureOf(report, target, split, points)];
  });
  if (all.length === 0) return null;
  return html`<div class="plots" data-split="${split}">${all}</div>
    ${legend(split)}`;
}

function figureOf(
  report: Report,
  target: TargetName,
  split: "test" | "validation",
  points: readonly Point[],
): Markup {
  const metric = metricOf(report, target);
  const over = (what: string): string =>
    `${targetText(target)}: drop of ${metric} over ${what}, on the ${split} samples`;
  const isTimedHere = points.some(({ latency }) => latency !== null);
  return html`<figure class="plot" data-target="${target}">
    <h3>${targetText(target)}</h3>
    <div class="panels">
      ${panel(points, "size", metric, over("size"))}
      ${isTimedHere ? panel(points, "latency", metric, over("latency")) : html`<p class="soft small">Not timed. ${untimed(report, target)}</p>`}
    </div>
    ${split === "test" ? html`<div class="soft small">${keyOf(points)}</div>` : null}
  </figure>`;
}

export function metricOf(report: Report, target: TargetName): string {
  const measured = [...report.variants, ...report.candidates.map((each) => each.measurement)];
  const here = measured.find((each) => each?.target === target && each.accuracy !== null);
  return here?.accuracy?.metric ?? "the metric";
}

function untimed(report: Report, target: TargetName): string {
  const latency = report.variants.find((each) => each.target === target)?.latencyMs;
  return latency === undefined || isTimed(latency) ? "" : latency.unmeasured;
}

function keyOf(points: readonly Point[]): string {
  return points
    .filter(({ kind }) => kind !== "float")
    .map(({ mark, name }) => `${mark} ${name}`)
    .join(" · ");
}

function legend(split: "test" | "validation"): Markup {
  return html`<div class="legend">
    <span>□ float model</span
    ><span>◎ ${split === "test" ? "written" : "chosen"}</span
    >${split === "test" ? null : html`<span>● turned down; numbers are those of Candidates</span>`}<span
      >lines: what chance may do (95 % of the drop, 99 % of the latency)</span
    >
  </div>`;
}
