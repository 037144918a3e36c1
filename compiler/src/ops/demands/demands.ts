import { dim, type Graph, isStatic, type Node } from "../../ir/index.js";
import { keyOf, schemas } from "../schema/schemas.js";
import { inferContext, ruledTypes } from "../shape/infer.js";
import type { InferContext } from "../shape/rule.js";
import { choiceDemands } from "./choices.js";
import type { Demand } from "./demand.js";
import { moveDemands } from "./moves.js";
import { normalizationDemands } from "./normalizations.js";
import { placeDemands } from "./places.js";
import { productDemands } from "./products.js";
import { recurrentDemands } from "./recurrent.js";
import { stepDemands } from "./steps.js";
import { refusedTypes } from "./types.js";
import { windowDemands } from "./windows.js";

const demands: ReadonlyMap<string, Demand> = new Map(
  Object.entries({
    ...windowDemands,
    ...productDemands,
    ...normalizationDemands,
    ...recurrentDemands,
    ...moveDemands,
    ...placeDemands,
    ...choiceDemands,
    ...stepDemands,
  }),
);

/**
 * What of its operator's demands a node does not meet: of how many inputs there are, of their types and sizes, of attributes
 * that belong together. Of operators of which no demands are known, there are none.
 * @returns the first of them, in words; undefined where all that is known is met
 */
export function unmetDemand(graph: Graph, node: Node): string | undefined {
  const key = keyOf(node);
  const context = inferContext(graph, node);
  return (
    refusedCount(node) ??
    refusedFlags(context) ??
    refusedTypes(context, key) ??
    demands.get(key)?.(context)
  );
}

const open = [dim.unknown()];

/** Attributes that say yes or no: what another number means differs from engine to engine. */
const flags =
  "align_corners allowzero antialias ceil_mode center_point_box count_include_pad detect_negative detect_positive exclude_outside exclusive fmod input_forget inverse keepdims largest layout linear_before_reset noop_with_empty_axes onesided output_sequence periodic reverse saturate select_last_index sorted storage_order training_mode transA transB upper".split(
    " ",
  );

function refusedFlags({ attributes }: InferContext): string | undefined {
  const wrong = flags.find((name) => ![0, 1].includes(attributes.int(name, 0)));
  return wrong === undefined ? undefined : `its ${wrong} is neither 0 nor 1`;
}

function refusedCount(node: Node): string | undefined {
  const schema = schemas.get(keyOf(node));
  if (schema === undefined) return undefined;
  const isEndless = schema.inputs.at(-1)?.arity === "variadic";
  const isTooMany = !isEndless && node.inputs.length > schema.inputs.length;
  if (isTooMany) return `it takes ${schema.inputs.length} inputs, and has ${node.inputs.length}`;
  const rest = schema.inputs.findIndex(({ arity }) => arity === "variadic");
  const isLeftOut = rest >= 0 && node.inputs.slice(rest).includes(null);
  if (isLeftOut) return "one of its inputs is left out";
  const { outputs } = schema;
  if (outputs.at(-1)?.arity !== "variadic" && node.outputs.length > outputs.length)
    return `it gives ${outputs.length} outputs, and has ${node.outputs.length}`;
  const isLacking = outputs.some(
    ({ arity }, at) => arity === "one" && (node.outputs[at] ?? null) === null,
  );
  return isLacking ? "one of its outputs is left out" : undefined;
}

/**
 * Does a file say of a node's results that they have sizes which do not follow from what it is given? Where sizes of its
 * inputs are open, that is for others to say.
 */
export function hasUnconfirmedSizes(graph: Graph, node: Node): boolean {
  const context = inferContext(graph, node);
  const isOpen = node.inputs.some((id, at) => id !== null && !isStatic(context.shape(at) ?? open));
  if (isOpen) return false;
  const ruled = ruledTypes(graph, node);
  return node.outputs.some((id, at) => {
    const type = id === null ? undefined : graph.value(id).type;
    const declared = type?.kind === "tensor" ? type.shape : undefined;
    if (declared === undefined) return false;
    const own = ruled[at]?.type;
    const shape = own?.kind === "tensor" ? own.shape : undefined;
    return (
      shape?.length !== declared.length ||
      declared.some((size, axis) => typeof size === "number" && shape[axis] !== size)
    );
  });
}
