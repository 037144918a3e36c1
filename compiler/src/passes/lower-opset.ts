import type { Graph } from "../ir/index.js";
import { normalizeGraph } from "./normalize.js";
import { normalOpset } from "./opset/raise.js";
import { lowerOpset as lower, lowestOpset } from "./opset/lower.js";
import type { PassDefinition } from "../pipeline/pass.js";
import { OptionReader } from "../pipeline/options.js";

export interface LowerOpsetOptions {
  /** From 7 to 21, which it is where not given. */
  readonly opset: number;
}

/** `convert --opset 17`: normalizes, then says the model in that opset. Passes and rules expect 21: make it the last. */
export const lowerOpset: PassDefinition<"lower-opset", LowerOpsetOptions> = {
  name: "lower-opset",
  summary: "write the model in an older opset",
  parse(options) {
    const read = new OptionReader("lower-opset", options);
    const opset = read.integer("opset", normalOpset, lowestOpset, normalOpset);
    read.done();
    return { opset };
  },
  create: ({ opset }) => ({ exactness: "rounding", run: (graph: Graph) => toOpset(graph, opset) }),
};

/** @throws PareError UNSUPPORTED_OP naming the node that an older opset has no words for */
export function toOpset(graph: Graph, opset: number): void {
  normalizeGraph(graph);
  lower(graph, opset);
}
