import type { Node } from "../ir/index.js";
import type { Gradient } from "./gradients/gradient.js";
import { gradients } from "./gradients/gradients.js";
import { channels } from "./channels/channels.js";
import type { Channels } from "./channels/coupling.js";
import type { Evaluation } from "./reference/evaluation.js";
import { references } from "./reference/references.js";
import type { OperatorSchema } from "./schema/operator.js";
import { keyOf, schemas } from "./schema/schemas.js";
import type { ShapeRule } from "./shape/rule.js";
import { shapeRules } from "./shape/shapes.js";
import { type Traits, traitsOf } from "./traits/traits.js";

/** All that is known of one operator: a cell from each folder. */
export interface Operator {
  readonly schema: OperatorSchema;
  readonly shape: ShapeRule;
  /** Undefined for operators with bodies, for random ones, and where nobody wrote it. */
  readonly reference: Evaluation | undefined;
  /** Undefined where nobody wrote it: what depends on such a node cannot be trained. */
  readonly gradient: Gradient | undefined;
  /** Undefined where no channel passes, or nobody wrote how. */
  readonly channels: Channels | undefined;
  readonly traits: Traits;
}

/** Every operator that is known: "Conv" of ai.onnx, "com.microsoft::FusedConv" of another domain. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  [...schemas].flatMap(([key, schema]) => {
    const shape = shapeRules.get(key);
    const row = shape && {
      schema,
      shape,
      reference: references.get(key),
      gradient: gradients.get(key),
      channels: channels.get(key),
      traits: traitsOf(key),
    };
    return row === undefined ? [] : [[key, row] as const];
  }),
);

/** What is known of a node's operator; undefined where nothing is. */
export function operatorOf(node: Pick<Node, "domain" | "op">): Operator | undefined {
  return operators.get(keyOf(node));
}
