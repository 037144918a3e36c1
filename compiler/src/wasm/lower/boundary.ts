import { type Dtype, elementCount } from "@pare/runtime/format";
import { type ValueId, shapeOf } from "../../ir/index.js";
import { convert } from "../kernels/convert.js";
import { doubles } from "../kernels/doubles.js";
import { type Element, elementBytes } from "../kernels/element.js";
import { halves } from "../kernels/halves.js";
import { zeroRest } from "../kernels/zero-rest.js";
import { collapsed } from "../kernels/nest.js";
import type { Place, PlacedValue } from "../plan/plan.js";
import { axesOf, isDense, orderOf, rowMajor, type View, viewOf } from "../plan/view.js";
import { elementOfType } from "./element-of-type.js";
import type { Lowering } from "./lowering.js";
import { dtypeOf } from "./node-facts.js";
import {
  type OtherFloat,
  type OtherFloats,
  otherFloatsInput,
  otherFloatsOutput,
} from "./other-floats.js";
import { type TextInput, textInput } from "./text-input.js";
import { textOutput } from "./text-output.js";

/** Memory that an input is written to, row-major as its type has it, and the view of what is computed with. */
export function placeInput(l: Lowering, id: ValueId): void {
  const text = textInput(l.graph, id);
  if (text !== undefined) return placeText(l, id, text);
  const other = otherFloatsInput(l.graph, id);
  if (other !== undefined) return placeOtherFloats(l, id, other);
  const type = dtypeOf(l.graph, id) ?? "float32";
  const given = denseView(l, l.dims(id), givenElement(type), l.graph.value(id).name);
  l.plan.input(placed(l, id, type, given));
  l.set(id, type === "bool" ? converted(l, given, "i32", true) : given);
}

function placeText(l: Lowering, id: ValueId, { places, labels, node }: TextInput): void {
  const given = denseView(l, l.dims(places), "i32", l.graph.value(id).name);
  l.plan.input({ ...placed(l, id, "int32", given), labels });
  l.set(places, converted(l, given, "i64", false));
  l.absorbed.add(node);
}

function placeOtherFloats(l: Lowering, id: ValueId, { dtype, floats, node }: OtherFloats): void {
  const dims = l.dims(id);
  const count = elementCount(dims);
  const place = l.plan.memory(count * converters[dtype].bytes, l.graph.value(id).name);
  const view = denseView(l, dims, "f32", "converted");
  // A scalar is one, whatever the loops have of it.
  l.plan.input({ ...placed(l, id, dtype, view), place });
  const { kernel } = converters[dtype];
  if (count > 0) l.plan.step(kernel, { count, to: "floats" }, [place, view.place]);
  l.set(floats, view);
  l.absorbed.add(node);
}

/** An output is row-major without gaps, in memory that holds nothing else afterwards. */
export function placeOutput(l: Lowering, id: ValueId): void {
  const [text, other] = [textOutput(l.graph, id), otherFloatsOutput(l.graph, id)];
  const computed = other?.floats ?? text?.index ?? id;
  const type = other?.dtype ?? dtypeOf(l.graph, computed) ?? "float32";
  const view = l.view(computed);
  const given = type === "bool" ? converted(l, view, "u8", false) : owned(l, view);
  const rows = l.rows(computed);
  if (rows !== undefined) {
    const [most = 1, ...inner] = given.dims.slice(rows.axis);
    const bytes = elementCount(inner) * elementBytes[given.element];
    l.plan.step(zeroRest, { bytes, all: most * bytes }, [rows.count, given.place], true);
  }
  const labels = text && { labels: text.labels };
  const whole = placed(l, id, type, given);
  const place = other === undefined ? whole.place : asOtherFloats(l, other.dtype, whole);
  const counted = rows && { axis: rows.axis, count: rows.count };
  l.plan.output({ ...whole, place, ...(counted && { rows: counted }), ...labels });
}

/** Floats that lie without gaps, as others. */
function asOtherFloats(l: Lowering, dtype: OtherFloat, { name, dims, place }: PlacedValue): Place {
  const count = elementCount(dims);
  const target = l.plan.memory(count * converters[dtype].bytes, name);
  const { kernel } = converters[dtype];
  if (count > 0) l.plan.step(kernel, { count, to: "others" }, [place, target]);
  return target;
}

/** What converts other floats, and how many bytes one takes. */
const converters = {
  float16: { kernel: halves, bytes: 2 },
  float64: { kernel: doubles, bytes: 8 },
} as const;

/** Elements as whoever runs the model gives and takes them. */
function givenElement(type: Dtype): Element {
  return type === "bool" ? "u8" : (elementOfType(type) ?? "f32");
}

function placed(l: Lowering, id: ValueId, type: Dtype, view: View): PlacedValue {
  const dims = (shapeOf(l.graph, id) ?? []).map(Number);
  return { name: l.graph.value(id).name, type, dims, place: view.place };
}

function denseView(l: Lowering, dims: readonly number[], element: Element, name: string): View {
  let bytes = elementBytes[element];
  const steps = [...dims].reverse().map((size) => {
    const step = bytes;
    bytes *= size;
    return step;
  });
  const place = l.plan.memory(bytes, name);
  return viewOf(place, dims, steps.reverse(), { element });
}

function converted(l: Lowering, from: View, to: Element, truth: boolean): View {
  const target = denseView(l, from.dims, to, "converted");
  const axes = collapsed(axesOf([from, target], orderOf(target)));
  l.plan.step(convert, { axes, from: from.element, to, truth }, [from.place, target.place]);
  return target;
}

function owned(l: Lowering, view: View): View {
  const isInput = l.plan.inputs.some(({ place }) => place.in === view.place.in);
  if (view.place.in.kind === "buffer" && !isInput && isDense(view)) return view;
  const layout = { order: rowMajor(view.dims.length), padded: false, halo: [] };
  // Whoever runs the module may write over what it gives.
  return view.place.in.kind === "prepared" ? l.copy(view, layout) : l.copied(view, layout);
}
