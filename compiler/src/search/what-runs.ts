import type { ArtifactFormat } from "@pare/runtime/format";
import type { Pass } from "../pipeline/pass.js";
import type { Made } from "./candidate.js";
import { passesIn } from "./precision.js";
import { isAsFast, type Relative } from "./verdict.js";

/**
 * What runs of a file once it is loaded: the steps that made it, but for those that only store weights otherwise. Of two files
 * that differ in those alone an engine makes the same.
 */
export function whatRuns({ groups, artifact }: Pick<Made, "groups" | "artifact">): string {
  const computing = groups.filter(
    (group) => !passesIn(group).every((pass) => isDecodedOnce(pass, artifact.format)),
  );
  return JSON.stringify([artifact.session, ...computing.map(({ steps }) => steps)]);
}

/**
 * Whether two run the same, and times leave it at that.
 * @param compared null where they were not timed
 */
export function runsAs(
  one: Pick<Made, "groups" | "artifact">,
  other: Pick<Made, "groups" | "artifact">,
  compared: Relative | null,
): boolean {
  return isAsFast(compared) && whatRuns(one) === whatRuns(other);
}

function isDecodedOnce({ decodedOnceBy }: Pass, format: ArtifactFormat): boolean {
  return decodedOnceBy === "all" || (decodedOnceBy === "modules" && format === "wasm");
}
