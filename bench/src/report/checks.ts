import type { Report, ReportCheck } from "@pare/runtime/format";
import { judgedBy } from "./judged-by.js";
import { accuracyText, changeText, milliseconds, speed } from "./figures.js";

/** The checks of a report; where it has none, what its variants have shown by being there. */
export function checksOf(report: Report): readonly ReportCheck[] {
  if (report.checks) return report.checks;
  const judged = judgedBy(report);
  return report.variants.flatMap(({ target, name, engine, accuracy, latencyMs }) => [
    {
      target,
      name,
      what: "loads",
      outcome: "passed",
      reason: `It loads and runs on ${engine}.`,
    } as const,
    ...(accuracy
      ? [
          {
            target,
            name,
            what: judged,
            outcome: "passed",
            reason: `${accuracy.metric} ${accuracyText(accuracy)}; ${changeText(accuracy)}`,
          } as const,
        ]
      : []),
    ...("p50" in latencyMs
      ? [
          {
            target,
            name,
            what: "latency",
            outcome: "passed",
            reason: `${milliseconds(latencyMs)} ${speed(latencyMs)}`.trim(),
          } as const,
        ]
      : []),
  ]);
}
