import { convolutionKinds } from "../../../analysis/weighted-node.js";
import { listOf, oneOf } from "../../../pipeline/kinds.js";
import { option } from "../../../pipeline/options.js";

export const ranges = option(
  oneOf(["minmax", "mse", "percentile"]),
  "minmax",
  "Of activations: all that was seen, what loses least in the mean square, or all but the outermost hundred-thousandth.",
);

/** Which nodes become integer, by what they are and where they stand. */
export const places = {
  convolutions: option(
    listOf(oneOf(convolutionKinds)),
    convolutionKinds,
    "Which kinds of convolution become integer.",
  ),
  between: option(
    oneOf(["engine", "integers", "float"]),
    "engine",
    'Of what lies between integer nodes, sums, gates and the like: "engine" rounds what onnxruntime has kernels on integers for, where all that it reads is rounded; "integers" rounds for all readers what one of these nodes reads, and nothing that none reads; "float" rounds nothing there.',
  ),
  inputs: option(
    oneOf(["quantize", "float"]),
    "quantize",
    '"float" keeps the convolutions float that read the model\'s own input.',
  ),
  outputs: option(
    oneOf(["quantize", "float"]),
    "quantize",
    '"float" keeps the convolutions float whose results leave the model without passing further weights.',
  ),
};
