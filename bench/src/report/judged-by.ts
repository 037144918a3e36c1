import type { ReportRow } from "@pare/runtime/format";

/** What its variants were judged by: on made-up inputs, it is never accuracy. */
export function judgedBy({
  variants,
}: {
  readonly variants: readonly Pick<ReportRow, "evidence">[];
}): "accuracy" | "agreement" {
  return variants.some(({ evidence }) => evidence === "synthetic") ? "agreement" : "accuracy";
}
