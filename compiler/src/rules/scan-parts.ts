import {
  bodiesOf,
  type Body,
  type Dim,
  type Graph,
  type Node,
  type ValueId,
  shapeOf,
} from "../ir/index.js";
import { attributesOf, inputOf, madeBy } from "./pattern.js";

/** A Scan that goes through rows from the first on. */
export interface ScanParts {
  readonly body: Body;
  readonly rows: Dim;
  /** What the node is given: states at first, and what it goes through. */
  readonly states: readonly ValueId[];
  readonly scanned: readonly ValueId[];
  /** What the body is given of them. */
  readonly stateInputs: readonly ValueId[];
  readonly rowInputs: readonly ValueId[];
  /** What the body gives: states, and what is kept of each row. */
  readonly nextStates: readonly ValueId[];
  readonly results: readonly ValueId[];
}

/** Undefined for one that goes another way, or of whose rows it is not known how many there are. */
export function scanParts(graph: Graph, node: Node): ScanParts | undefined {
  const attributes = attributesOf(node);
  const [body] = bodiesOf(node);
  const count = attributes.int("num_scan_inputs", 0);
  const inputs = node.inputs.flatMap((id) => id ?? []);
  const isPlain = [...node.attributes.keys()]
    .filter((name) => name.startsWith("scan_"))
    .every((name) => attributes.ints(name)?.every((one) => one === 0) === true);
  if (body === undefined || !isPlain || count < 1 || count > inputs.length) return undefined;
  if (inputs.length !== node.inputs.length || body.inputs.length !== inputs.length)
    return undefined;
  const stateCount = inputs.length - count;
  const scanned = inputs.slice(stateCount);
  const lengths = new Set(scanned.map((id) => shapeOf(graph, id)?.[0]));
  const [rows] = lengths;
  if (lengths.size !== 1 || rows === undefined || rows === 0) return undefined;
  if (body.outputs.length !== node.outputs.length || stateCount > body.outputs.length)
    return undefined;
  return {
    body,
    rows,
    states: inputs.slice(0, stateCount),
    scanned,
    stateInputs: body.inputs.slice(0, stateCount),
    rowInputs: body.inputs.slice(stateCount),
    nextStates: body.outputs.slice(0, stateCount),
    results: body.outputs.slice(stateCount),
  };
}

/** What a value is, behind Identity. */
export function behindIdentity(graph: Graph, value: ValueId | undefined): ValueId | undefined {
  let id = value;
  for (;;) {
    const producer = madeBy(graph, id, "Identity");
    if (producer === undefined) return id;
    id = inputOf(producer, 0);
  }
}
