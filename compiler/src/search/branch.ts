import type { Precision } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Step } from "../pipeline/recipe.js";
import { findTarget } from "../targets/index.js";
import type { Proposal } from "../targets/target.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";

/** Steps that are measured as one. */
export type Stage = readonly Step[];

/** One way to a file: a recipe's steps each by itself, or a target's proposal as a whole. */
export interface Branch {
  readonly name: string;
  readonly precision: Precision;
  readonly stages: readonly Stage[];
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
  /** Why it is not tried at all. */
  readonly skip: string | null;
  /** From a target's table: mixed precision may be tried with it. */
  readonly proposed: boolean;
}

/** What a recipe asks for on a target, and with `propose` what the target's table adds. */
export function branchesOf(
  request: OptimizeRequest,
  device: TargetDevice,
  simplified: Graph,
): readonly Branch[] {
  const { recipe } = request;
  const own = recipe.steps.filter(({ use }) => use !== "simplify");
  const branches: Branch[] = [];
  if (own.length > 0) {
    const stages = own.map((step) => [step]);
    const plain = { session: {}, features: [], skip: null, proposed: false } as const;
    branches.push({ name: recipe.name, precision: "mixed", stages, ...plain });
  }
  if (recipe.propose) {
    for (const proposal of findTarget(device.target).propose(simplified)) {
      const skip = unavailable(proposal, request, device);
      branches.push({ ...proposal, stages: [proposal.steps], skip, proposed: true });
    }
  }
  return branches;
}

function unavailable(
  proposal: Proposal,
  { evidence, calibration }: OptimizeRequest,
  device: TargetDevice,
): string | null {
  const missing = proposal.features.find((feature) => !device.features.includes(feature));
  if (missing !== undefined) return `unverifiable-here: this machine lacks ${missing}`;
  if (evidence === "none" && !proposal.withoutData) return "needs data to be checked";
  if (proposal.needsData && calibration === undefined) return "needs data to calibrate with";
  return null;
}
