import {
  type Body,
  dim,
  type Dim,
  type Graph,
  type Inferred,
  sameType,
  tensorType,
  unknownType,
  type ValueType,
} from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import type { Every } from "../schema/cells.js";
import type { controlSchemas } from "../schema/control.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** What holds of two types at once: equal dims stay, others are unknown. */
function common(a: ValueType, b: ValueType): ValueType {
  if (sameType(a, b)) return a;
  if (a.kind !== "tensor" || b.kind !== "tensor") return unknownType;
  const dtype = a.dtype === b.dtype ? a.dtype : undefined;
  if (a.shape === undefined || b.shape?.length !== a.shape.length)
    return tensorType(dtype, undefined);
  const other = b.shape;
  return tensorType(
    dtype,
    a.shape.map((size, axis) => (size === other[axis] ? size : dim.unknown())),
  );
}

function bodyOf(context: InferContext, name: string): Body | undefined {
  const attribute = context.attributes.get(name);
  return attribute?.type === "graph" ? attribute.value : undefined;
}

function outputTypes(graph: Graph, body: Body | undefined): readonly ValueType[] {
  return body?.outputs.map((id) => graph.value(id).type) ?? [];
}

/** With an axis of `size` put in front of it, or at `axis`. */
function stacked(type: ValueType, size: Dim, axis = 0): Inferred {
  if (type.kind !== "tensor") return { type: unknownType };
  if (type.shape === undefined) return { type };
  const shape = [...type.shape];
  shape.splice(normalAxis(axis, shape.length + 1), 0, size);
  return { type: tensorType(type.dtype, shape) };
}

export const controlShapes: Every<typeof controlSchemas, ShapeRule> = {
  If(context) {
    const [then = [], otherwise = []] = ["then_branch", "else_branch"].map((name) =>
      outputTypes(context.graph, bodyOf(context, name)),
    );
    const [condition] = context.elements(0) ?? [];
    if (typeof condition === "number") {
      return (condition === 0 ? otherwise : then).map((type) => ({ type }));
    }
    return then.map((type, index) => ({ type: common(type, otherwise[index] ?? unknownType) }));
  },
  Loop(context) {
    const carried = context.node.inputs.length - 2;
    // The body gives its condition, what is carried on, and what is stacked.
    const [, ...types] = outputTypes(context.graph, bodyOf(context, "body"));
    return types.map((type, index) => {
      // How often it runs depends on the condition.
      if (index >= carried) return stacked(type, dim.unknown());
      const initial = context.type(index + 2) ?? unknownType;
      return { type: common(initial, type) };
    });
  },
  Scan(context) {
    const { attributes } = context;
    const states = context.node.inputs.length - attributes.int("num_scan_inputs", 0);
    const scanned = context.shape(states);
    const along =
      scanned && normalAxis(attributes.ints("scan_input_axes")?.[0] ?? 0, scanned.length);
    const steps = (along === undefined ? undefined : scanned?.[along]) ?? dim.unknown();
    const outputAxes = attributes.ints("scan_output_axes");
    return outputTypes(context.graph, bodyOf(context, "body")).map((type, index) => {
      if (index < states) return { type: common(context.type(index) ?? unknownType, type) };
      return stacked(type, steps, outputAxes?.[index - states] ?? 0);
    });
  },
};
