import { type ReportSplit, type ReportSplits, sha256, type SplitName } from "@pare/runtime/format";
import type { OpenData } from "./open-data.js";

/** More ids than this, over all splits, would make a report of megabytes. */
export const mostIds = 10_000;

/** Which samples are in which split, for reports and locks. */
export async function describeSplits({
  splits,
  samples: { entries },
}: Pick<OpenData, "splits" | "samples">): Promise<ReportSplits> {
  const { rule, calibration, validation, test } = splits;
  const named = calibration.length + validation.length + test.length <= mostIds;
  const describe = async (name: SplitName): Promise<ReportSplit> => {
    const found = splits[name].flatMap((index) => entries[index] ?? []);
    const content = found.map(({ id, digest, labelDigest }) => [id, digest, labelDigest]);
    return {
      sha256: await sha256(new TextEncoder().encode(JSON.stringify(content))),
      ids: named ? found.map(({ id }) => id) : null,
    };
  };
  return {
    rule,
    calibration: await describe("calibration"),
    validation: await describe("validation"),
    test: await describe("test"),
  };
}
