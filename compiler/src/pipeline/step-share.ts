import type { StepShare } from "@pare/runtime/format";
import { countConstantBytes, countParameters, nominalMacs } from "../analysis/index.js";
import type { Graph } from "../ir/index.js";

/** What a model costs, as far as that is seen without running it. */
export interface GraphSizes {
  readonly constantBytes: number;
  readonly parameters: number;
  readonly macs: number | null;
}

export function sizesOf(graph: Graph): GraphSizes {
  return {
    constantBytes: countConstantBytes(graph),
    parameters: countParameters(graph),
    macs: nominalMacs(graph),
  };
}

/** What a step changed of them. */
export function changeOf(before: GraphSizes, after: GraphSizes): Pick<StepShare, keyof GraphSizes> {
  const change = (of: "constantBytes" | "parameters"): StepShare["parameters"] => ({
    before: before[of],
    after: after[of],
  });
  return {
    constantBytes: change("constantBytes"),
    parameters: change("parameters"),
    macs:
      before.macs === null || after.macs === null
        ? null
        : { before: before.macs, after: after.macs },
  };
}
