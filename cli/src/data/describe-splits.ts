import { type ReportSplit, type ReportSplits, sha256 } from "@pare/runtime/format";
import type { OpenData } from "./open-data.js";

/** More ids than this, over all splits, would make a report of megabytes. */
export const mostIds = 10_000;

/** Which samples are in which split, for reports and locks. */
export async function describeSplits({
  splits,
  samples: { entries },
}: Pick<OpenData, "splits" | "samples">): Promise<ReportSplits> {
  const { rule, calibration, validation, test, training } = splits;
  const measured = calibration.length + validation.length + test.length;
  const describe = async (split: readonly number[], count: number): Promise<ReportSplit> => {
    const named = count <= mostIds;
    const found = split.flatMap((index) => entries[index] ?? []);
    // A sample without further fields is told as it was before they were, so that earlier locks hold.
    const content = found.map(({ id, digest, labelDigest, extraDigest }) =>
      extraDigest === null ? [id, digest, labelDigest] : [id, digest, labelDigest, extraDigest],
    );
    return {
      sha256: await sha256(new TextEncoder().encode(JSON.stringify(content))),
      ids: named ? found.map(({ id }) => id) : null,
    };
  };
  return {
    rule,
    calibration: await describe(calibration, measured),
    validation: await describe(validation, measured),
    test: await describe(test, measured),
    ...(training && { training: await describe(training, measured + training.length) }),
  };
}
