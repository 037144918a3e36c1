import { PareError } from "@pare/runtime/format";
import type { Graph } from "../../ir/index.js";
import type { Examples } from "../../pipeline/examples.js";
import type { OpenWorkers } from "../../pipeline/workers.js";
import type { SampleDims } from "../../train/bind-batch.js";
import { payingWorkers } from "../../train/paying-workers.js";
import type { DistillOptions } from "./options.js";

/** Of what teaching needs. */
interface Services {
  readonly examples: Examples;
  readonly chooseWorkers?: boolean | undefined;
  readonly onNote?: ((note: string) => void) | undefined;
}

/**
 * The engines that share each batch with that of the examples; none where one has it alone. What is to be said of it is.
 * @throws PareError UNSUPPORTED_DEVICE where more are asked for than one, and there is but one
 */
export async function openWorkers(
  graph: Graph,
  dims: SampleDims,
  { workers: wanted, batch, norms }: DistillOptions,
  { examples: { workers }, chooseWorkers = false, onNote }: Services,
  where: string,
): Promise<OpenWorkers> {
  const { most = 1 } = workers ?? {};
  const chosen = chooseWorkers ? payingWorkers(graph, { dims, batch, norms, most }) : 1;
  const count = Math.min(batch, wanted ?? chosen);
  if (count === 1) return { executors: [], close: () => Promise.resolve() };
  if (workers === undefined) {
    throw new PareError("UNSUPPORTED_DEVICE", `${count} workers are asked for, and there is one.`, {
      where,
      hint: "Leave `workers` out, or train with Pare's command line.",
    });
  }
  onNote?.(sharesText(graph, count, batch, norms));
  return workers.open(count - 1);
}

function sharesText(graph: Graph, count: number, batch: number, norms: string): string {
  const share = Math.floor(batch / count);
  const seesShares =
    norms === "batch" && graph.order().some(({ op }) => op === "BatchNormalization");
  const norm = seesShares ? ` Batch norms normalize by the ${share} that each of them sees.` : "";
  return `${count} workers share each batch of ${batch}; --workers 1 trains on one alone.${norm}`;
}
