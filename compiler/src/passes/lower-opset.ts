import { type Graph, normalOpset } from "../ir/index.js";
import { normalizeGraph } from "./normalize.js";
import { lowerOpset as lower, lowestOpset } from "./opset/lower.js";
import { integer } from "../pipeline/kinds.js";
import { option } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";

/** `convert --opset 17`: normalizes, then says the model in that opset. Passes and rules expect 21. */
export const lowerOpset = definePass({
  name: "lower-opset",
  summary: "write the model in an older opset",
  endsFile: true,
  options: {
    opset: option(integer(lowestOpset, normalOpset), normalOpset, "The version of ai.onnx."),
  },
  create: ({ opset }) => ({ exactness: "rounding", run: (graph: Graph) => toOpset(graph, opset) }),
});

/** @throws PareError UNSUPPORTED_OP naming the node that an older opset has no words for */
function toOpset(graph: Graph, opset: number): void {
  normalizeGraph(graph);
  lower(graph, opset);
}
