import { attribute, type Attributes } from "../../ir/index.js";
import { unknownSizes } from "../../ops/index.js";
import { normalAxis } from "../../ops/families/indexing.js";
import { windowAxes } from "../../ops/families/window.js";
import type { Step } from "../opset/adapter.js";
import { bytesAt, decoded, encoded } from "./integers.js";
import { kept } from "../opset/kept-attributes.js";
import { refuseChannelsLast } from "./channels-last.js";

function averageAll(step: Step): void {
  refuseChannelsLast(step);
  const result = step.add("GlobalAveragePool", [decoded(step, 0)]);
  step.replaceBy(encoded(step, result, 3, 4, bytesAt(step, 0)));
}

function average(step: Step): void {
  refuseChannelsLast(step);
  const result = step.add("AveragePool", [decoded(step, 0)], meanAttributes(step));
  step.replaceBy(encoded(step, result, 3, 4, bytesAt(step, 0)));
}

/**
 * Where pads count, so does what the last window of ceil_mode reaches beyond them, which AveragePool leaves out: here it is
 * padding.
 */
function meanAttributes(step: Step): Attributes {
  const { attributes } = step;
  const isWhole =
    attributes.int("count_include_pad", 0) === 0 || attributes.int("ceil_mode", 0) === 0;
  if (isWhole) return kept(step, "auto_pad ceil_mode count_include_pad kernel_shape pads strides");
  const sizes = step.shape(0)?.slice(2);
  const kernel = attributes.ints("kernel_shape");
  if (sizes === undefined || kernel?.length !== sizes.length) return step.refuse(unknownSizes);
  const ends = windowAxes(sizes, kernel, attributes).map(
    ({ size, before, after, output, stride }, at) => {
      const reach =
        (Number(output) - 1) * stride + (kernel[at] ?? 1) - Number(size) - Number(before);
      return { before: Number(before), after: Math.max(Number(after), reach) };
    },
  );
  if (
    !ends.every(({ before, after }) => Number.isSafeInteger(before) && Number.isSafeInteger(after))
  )
    return step.refuse(unknownSizes);
  return {
    ...kept(step, "count_include_pad kernel_shape strides"),
    pads: attribute.ints([...ends.map(({ before }) => before), ...ends.map(({ after }) => after)]),
  };
}

/** From this opset on Softmax is along one axis; before it was along that and all behind it. */
const alongOneAxis = 13;

function softmax(step: Step): void {
  const [rank, shape] = [step.rank(0), step.shape(0)];
  const opset = step.attributes.int("opset");
  if (rank === undefined || rank === 0 || opset === undefined)
    return step.refuse("its rank or its opset is not known");
  // The last one, whatever that opset had for Softmax: so the engine's schema says.
  const given = step.attributes.int("axis", -1);
  const axis = normalAxis(given, rank);
  if (!(axis >= 0 && axis < rank)) return step.refuse("it has no such axis");
  const x = decoded(step, 0);
  const isRow =
    opset >= alongOneAxis || shape?.slice(axis + 1).every((size) => size === 1) === true;
  const matrix = isRow ? x : step.add("Flatten", [x], { axis: attribute.int(axis) });
  const shares = step.add("Softmax", [matrix], { axis: attribute.int(isRow ? axis : -1) });
  const literal = { allowzero: attribute.int(1) };
  const result = isRow ? shares : step.add("Reshape", [shares, step.add("Shape", [x])], literal);
  step.replaceBy(encoded(step, result, 3, 4, bytesAt(step, 0)));
}

export const windowWords: Readonly<Record<string, (step: Step) => void>> = {
  "com.microsoft::QLinearAveragePool": average,
  "com.microsoft::QLinearGlobalAveragePool": averageAll,
  "com.microsoft::QLinearSoftmax": softmax,
};
