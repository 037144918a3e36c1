import type { ConvolutionKind, WeightedNode } from "../../../analysis/weighted-node.js";
import type { KeepFloat } from "../keep-float.js";
import type { IntegerFormat } from "../../../quantize/format.js";
import type { Range } from "../../../quantize/scale.js";
import type { Node, NodeId, ValueId } from "../../../ir/index.js";

export interface StaticScope {
  /** Of an activation; 8 where not given. */
  readonly activationBits?: 8 | 7;
  /** What lies between integer nodes; "engine" where not given. */
  readonly between?: "engine" | "integers" | "float";
  readonly convolutions: readonly ConvolutionKind[];
  /** "float" keeps convolutions whose output the model gives away without another weighted node. */
  readonly outputs: "quantize" | "float";
  /** "float" keeps the nodes that read the model's own input: few channels, many values. */
  readonly inputs: "quantize" | "float";
  readonly keepFloat: KeepFloat;
  /** Values of which calibration saw nothing, or nothing but 0 and the like: no steps suit what they will hold. None where not given. */
  readonly unseen?: ReadonlySet<ValueId>;
}

/** An activation that is rounded. */
export interface PlannedActivation {
  /** What QuantizeLinear reads: the value itself, or what a removed Relu or Clip read. */
  readonly source: ValueId;
  /** Takes the parameters of another one, because the operator between them only moves numbers. */
  readonly sameAs: ValueId | null;
  /** Who reads the rounded value: everyone, or the quantized nodes alone. */
  readonly readers: "all" | ReadonlySet<NodeId>;
  /** Its range, whatever is seen; what was seen where not given. */
  readonly range?: Range;
}

export interface StaticPlan {
  /** Of activations. */
  readonly format: IntegerFormat;
  readonly weighted: readonly WeightedNode[];
  readonly activations: ReadonlyMap<ValueId, PlannedActivation>;
  readonly left: readonly { readonly node: Node; readonly why: string }[];
}
