import { elementCount } from "@pare/runtime/format";
import { attribute, type Graph, type NodeId, Tensor } from "../../ir/index.js";
import { evaluateNode, unknownSizes } from "../../ops/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";

/** Numbers that are written down. */
const mostWritten = 2 ** 20;

/** EyeLike: of its input only the sizes matter. */
function writeEye(step: Step): void {
  const { graph, editor, node } = step;
  const dims = sizesOf(step, 0);
  if (dims.length !== 2) return step.refuse("it is no matrix");
  if (elementCount(dims) > mostWritten)
    return step.refuse(`it has more than ${mostWritten} elements`);
  const type = step.dtype(0) ?? step.refuse(unknownSizes);
  const none = { type, dims, data: new Float32Array(elementCount(dims)) };
  const [eye] = evaluateNode(graph, node, [none]) ?? [];
  if (eye === undefined || eye === null) return step.refuse("its type is not known");
  step.replaceBy(
    editor.constant("eye", Tensor.of(eye.type, dims, eye.data), graph.body(node.body)),
  );
}

/** Compress by a constant condition: a Gather of what it lets through. */
function gatherKept(step: Step): void {
  const condition = step.graph.constant(step.input(1))?.numbers();
  if (condition === undefined) return step.refuse("its condition must be constant");
  const sizes = sizesOf(step, 0);
  const axis = step.attributes.int("axis");
  const size = axis === undefined ? elementCount(sizes) : (sizes.at(axis) ?? 0);
  // A condition may say more than there is.
  const places = condition.slice(0, size).flatMap((isKept, at) => (isKept === 0 ? [] : [at]));
  const kept = step.int64("kept", places);
  const x = operand(step, 0);
  if (axis !== undefined)
    return step.replaceBy(step.add("Gather", [x, kept], { axis: attribute.int(axis) }));
  const flat = step.add("Reshape", [x, step.int64("flat", [-1])]);
  step.replaceBy(step.add("Gather", [flat, kept]));
}

/** Hardmax: 1 at the first of the largest, 0 elsewhere. */
function markLargest(step: Step): void {
  const axis = step.attributes.int("axis", -1);
  const size = sizesOf(step, 0).at(axis) ?? step.refuse(unknownSizes);
  const place = step.add("ArgMax", [operand(step, 0)], {
    axis: attribute.int(axis),
    keepdims: attribute.int(0),
  });
  const marked = [place, step.int64("size", [size]), step.float("marks", [0, 1])];
  step.replaceBy(step.add("OneHot", marked, { axis: attribute.int(axis) }));
}

/** ReverseSequence: at a step within a sequence what is as far from its other end, behind it what is there. */
function gatherReversed(step: Step): void {
  const { attributes } = step;
  const [first = 0, second = 0] = sizesOf(step, 0);
  const isBatchFirst = attributes.int("time_axis", 0) === 1;
  if (attributes.int("batch_axis", 1) === attributes.int("time_axis", 0))
    return step.refuse("its axes are one");
  if (first * second > mostWritten) return step.refuse(`it has more than ${mostWritten} places`);
  const [batch, steps] = isBatchFirst ? [first, second] : [second, first];
  const across = (along: number, count: number): readonly number[] =>
    (along === 0) === isBatchFirst ? [count, 1] : [1, count];
  const numbers = (name: string, along: number, count: number) =>
    step.int64(
      name,
      Array.from({ length: count }, (_, at) => at),
      across(along, count),
    );
  const time = numbers("steps", 1, steps);
  const lengths = step.add("Reshape", [operand(step, 1), step.int64("shape", across(0, batch))]);
  const last = step.add("Sub", [lengths, step.int64("one", [1])]);
  const from = step.add("Where", [
    step.add("Less", [time, lengths]),
    step.add("Sub", [last, time]),
    time,
  ]);
  const shape = step.int64("shape", [first, second, 1]);
  const whole = step.int64("whole", [first, second]);
  const places = [numbers("samples", 0, batch), from].map((each) =>
    step.add("Reshape", [step.add("Expand", [each, whole]), shape]),
  );
  const ordered = isBatchFirst ? places : places.toReversed();
  const pairs = step.add("Concat", ordered, { axis: attribute.int(2) });
  step.replaceBy(step.add("GatherND", [operand(step, 0), pairs]));
}

const words: Words = new Map(
  Object.entries({
    Compress: gatherKept,
    EyeLike: writeEye,
    Hardmax: markLargest,
    ReverseSequence: gatherReversed,
  }),
);

/** Their keys. */
export const placeOperators: readonly string[] = [...words.keys()];

/**
 * Says operators that go by where elements lie, and have no kernel, in operators that have. The graph is simplified, its sizes
 * are fixed.
 * @returns of each node that stays: why
 */
export function sayPlaces(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-places", words);
}
