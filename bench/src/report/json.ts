import { type Report, visibleJson } from "@pare/runtime/format";

/** The report as `report.json`, by the published `report.schema.json`. Numbers that are not finite become null. */
export function toJson(report: Report): string {
  return `${visibleJson(report)}\n`;
}
