import { elementCount, PareError, type Tensor as Dense } from "@pare/runtime/format";
import type { Body, Node } from "../../ir/index.js";
import { integers, unpackNumbers } from "../elements/arrays.js";
import { join, take } from "../elements/take.js";
import { normalAxis, sourceIndices, steps, stridesOf } from "../families/indexing.js";
import { transposed } from "../families/movement.js";
import type { AttributeReader } from "../schema/attributes.js";

/** Runs a body whose inputs are in the environment; gives its outputs. */
export type RunBody = (body: Body, inputs: readonly Dense[]) => Promise<readonly Dense[]>;

/** If, Loop and Scan. Undefined for another operator that holds bodies. */
export function runControlFlow(
  node: Node,
  attributes: AttributeReader,
  inputs: readonly (Dense | null)[],
  runBody: RunBody,
): Promise<readonly Dense[]> | undefined {
  switch (node.op) {
    case "If":
      return runBody(bodyOf(attributes, isTrue(inputs[0]) ? "then_branch" : "else_branch"), []);
    case "Loop":
      return runLoop(bodyOf(attributes, "body"), inputs, runBody);
    case "Scan":
      return runScan(bodyOf(attributes, "body"), attributes, inputs, runBody);
    default:
      return undefined;
  }
}

function bodyOf(attributes: AttributeReader, name: string): Body {
  const found = attributes.get(name);
  if (found?.type === "graph") return found.value;
  throw new PareError("MODEL_INVALID", `A control flow node lacks its body "${name}".`);
}

function isTrue(condition: Dense | null | undefined): boolean {
  return condition === null || condition === undefined || unpackNumbers(condition)[0] !== 0;
}

/** Body: iteration, condition, carried… → condition, carried…, scanned… */
async function runLoop(
  body: Body,
  inputs: readonly (Dense | null)[],
  runBody: RunBody,
): Promise<readonly Dense[]> {
  const [trips, condition, ...initial] = inputs;
  const limit = trips === null || trips === undefined ? Infinity : (integers(trips)[0] ?? 0);
  let carried: readonly Dense[] = initial.filter((value) => value !== null);
  const scanned: Dense[][] = Array.from(
    { length: body.outputs.length - 1 - carried.length },
    () => [],
  );
  let goes = isTrue(condition);
  for (let trip = 0; trip < limit && goes; trip += 1) {
    const iteration: Dense = { type: "int64", dims: [], data: BigInt64Array.of(BigInt(trip)) };
    const truth: Dense = { type: "bool", dims: [], data: Uint8Array.of(1) };
    const [next, ...outputs] = await runBody(body, [iteration, truth, ...carried]);
    goes = isTrue(next);
    carried = outputs.slice(0, carried.length);
    outputs.slice(carried.length).forEach((value, index) => scanned[index]?.push(value));
  }
  return [...carried, ...scanned.map((values) => stacked(values, 0))];
}

/** Body: state…, slices… → state…, slices… */
async function runScan(
  body: Body,
  attributes: AttributeReader,
  inputs: readonly (Dense | null)[],
  runBody: RunBody,
): Promise<readonly Dense[]> {
  const all = inputs.filter((value) => value !== null);
  const scanCount = attributes.int("num_scan_inputs", 1);
  const scans = all.slice(all.length - scanCount);
  let states: readonly Dense[] = all.slice(0, all.length - scanCount);
  const axes = scans.map((scan, index) =>
    normalAxis(attributes.ints("scan_input_axes")?.[index] ?? 0, scan.dims.length),
  );
  const isReversed = scans.map(
    (_, index) => attributes.ints("scan_input_directions")?.[index] === 1,
  );
  const length = scans[0]?.dims[axes[0] ?? 0] ?? 0;
  const outputs: Dense[][] = Array.from({ length: body.outputs.length - states.length }, () => []);
  for (let step = 0; step < length; step += 1) {
    const slices = scans.map((scan, index) =>
      slice(scan, axes[index] ?? 0, isReversed[index] === true ? length - 1 - step : step),
    );
    const results = await runBody(body, [...states, ...slices]);
    states = results.slice(0, states.length);
    results.slice(states.length).forEach((value, index) => outputs[index]?.push(value));
  }
  const stacks = outputs.map((values, index) => {
    const ordered =
      attributes.ints("scan_output_directions")?.[index] === 1 ? values.reverse() : values;
    return stacked(ordered, attributes.ints("scan_output_axes")?.[index] ?? 0);
  });
  return [...states, ...stacks];
}

/** One element of an axis, which disappears. */
function slice(from: Dense, axis: number, at: number): Dense {
  const strides = stridesOf(from.dims);
  const parts = from.dims.flatMap((size, which) =>
    which === axis ? [] : [steps(size, strides[which] ?? 1)],
  );
  const dims = from.dims.filter((_, which) => which !== axis);
  return take(from, sourceIndices(parts, at * (strides[axis] ?? 1)), dims);
}

/** Tensors of one shape along a new axis. Of none, nothing is known but that there are none. */
function stacked(values: readonly Dense[], axis: number): Dense {
  const [first] = values;
  if (first === undefined) return { type: "float32", dims: [0], data: new Float32Array(0) };
  const joined: Dense = { ...join(values), dims: [values.length, ...first.dims] };
  const at = normalAxis(axis, joined.dims.length);
  if (at === 0 || elementCount(joined.dims) === 0) return joined;
  const rest = first.dims.map((_, which) => which + 1);
  const moved = transposed(joined.dims, [...rest.slice(0, at), 0, ...rest.slice(at)]);
  return take(joined, moved.indices, moved.dims);
}
