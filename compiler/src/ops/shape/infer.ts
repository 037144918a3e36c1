import {
  edit,
  type Dim,
  type Graph,
  type Infer,
  type Inferred,
  type Node,
  type Value,
  type ValueType,
} from "../../ir/index.js";
import {
  bodiesOf,
  type Body,
  dim,
  mostAxes,
  sameShape,
  sameType,
  tensorType,
} from "../../ir/index.js";
import { attributeReader } from "../schema/attributes.js";
import { keyOf } from "../schema/schemas.js";
import { typeBodyInputs } from "./body-inputs.js";
import { elementLimit, integersIn } from "./integers.js";
import type { InferContext } from "./rule.js";
import { shapeRules } from "./shapes.js";

/** Of a node. What it gives keeps the type that the file declares, if any. */
export interface UnknownOperator {
  readonly op: string;
  readonly domain: string;
  /** The node's name, or that of its first output. */
  readonly node: string;
}

/** How much they find is another thing in every run: a size that a file declares of it is that of some other one. */
const ofData = new Set(["Compress", "NonMaxSuppression", "NonZero"]);

/** Types of a node's outputs, by its operator's rule. Never throws: an unknown operator gives nothing. */
export const inferNode: Infer = (graph, node) => {
  const last = dim.unknowns();
  return ruledTypes(graph, node).map(
    (found, index) =>
      found && settle(found, outputValue(graph, node, index), last, ofData.has(keyOf(node))),
  );
};

/** What a node's rule says of its outputs, whatever is declared of them; nothing where there is none, or it is malformed. */
export function ruledTypes(graph: Graph, node: Node): readonly (Inferred | undefined)[] {
  try {
    return shapeRules.get(keyOf(node))?.(inferContext(graph, node)) ?? [];
  } catch {
    // Too few inputs, an impossible attribute: verify says so, types just stay unknown.
    return [];
  }
}

/**
 * What loops within loops carry is tried out in rounds of rounds. So many times as there are nodes, and a few for small
 * graphs, nodes are inferred at most.
 */
const mostVisits = { ofEach: 16, few: 4096 };

/**
 * Infers every node of every body: outer values first, then bodies, then the node that holds them. What is declared
 * of the model's outputs gives way to what follows from its nodes.
 * @returns the nodes of operators that are not known, whose types are still what the file declares
 */
export function inferAll(graph: Graph): readonly UnknownOperator[] {
  edit(
    graph,
    "infer",
    (editor) => {
      let visits = mostVisits.few + mostVisits.ofEach * [...graph.allNodes()].length;
      const settle = (body: Body): void => {
        for (const node of graph.order(body)) {
          visits -= 1;
          if (!typeBodyInputs(graph, editor, node, settle, () => visits > 0))
            bodiesOf(node).forEach(settle);
          inferNode(graph, node).forEach((inferred, index) => {
            const value = outputValue(graph, node, index);
            if (inferred === undefined || value === undefined) return;
            const type = completed(inferred.type, value.type);
            if (sameType(type, value.type) && sameShape(inferred.elements, value.elements)) return;
            editor.setType(value.id, type, inferred.elements);
          });
        }
      };
      settle(graph.main);
    },
    { interface: true },
  );
  return unknownOperators(graph, graph.main);
}

function unknownOperators(graph: Graph, body: Body): readonly UnknownOperator[] {
  return graph.order(body).flatMap((node) => {
    const inner = bodiesOf(node).flatMap((nested) => unknownOperators(graph, nested));
    if (shapeRules.has(keyOf(node))) return inner;
    const { op, domain } = node;
    return [...inner, { op, domain, node: graph.nodeLabel(node) }];
  });
}

/** A node as rules see it. */
export function inferContext(graph: Graph, node: Node): InferContext {
  const value = (input: number): Value | undefined => {
    const id = node.inputs[input];
    return id === undefined || id === null ? undefined : graph.value(id);
  };
  const tensor: InferContext["tensor"] = (input) => {
    const type = value(input)?.type;
    return type?.kind === "tensor" ? type : undefined;
  };
  return {
    graph,
    node,
    type: (input) => value(input)?.type,
    tensor,
    dtype: (input) => tensor(input)?.dtype,
    shape: (input) => tensor(input)?.shape,
    elements: (input) => value(input)?.elements ?? integersIn(graph.constant(node.inputs[input])),
    constant: (input) => graph.constant(node.inputs[input]),
    attributes: attributeReader(node.attributes),
  };
}

function outputValue(graph: Graph, node: Node, index: number): Value | undefined {
  const id = node.outputs[index];
  return id === undefined || id === null ? undefined : graph.value(id);
}

function unknownNumber(symbol: string): number {
  return symbol.startsWith("?") ? Number(symbol.slice(1)) : 0;
}

/** Longer expressions say nothing to anyone, and could grow without end from layer to layer. */
const longestExpression = 1000;

/** Does inference say of a dim no more than that it is unknown? `last` is the last unknown before it. */
function isVague(size: Dim, last: number): boolean {
  if (typeof size === "number") return false;
  if (String(size).length > longestExpression) return true;
  return [...dim.symbolsOf(size)].some((symbol) => unknownNumber(symbol) > last);
}

function isNoInteger(value: Dim): boolean {
  return typeof value === "number" && !Number.isSafeInteger(value);
}

/**
 * Where inference says no more of a dim than that it is unknown, what was known of it stays: a declared size, or the
 * unknown of the last inference, so that inferring twice changes nothing.
 * @param isOfData whether no declared size holds
 */
function settle(
  found: Inferred,
  value: Value | undefined,
  last: number,
  isOfData: boolean,
): Inferred {
  const { type } = found;
  const isFollowed =
    found.elements !== undefined &&
    found.elements.length <= elementLimit &&
    !found.elements.some((element) => isVague(element, last) || isNoInteger(element));
  const elements = isFollowed ? found.elements : undefined;
  if (type.kind !== "tensor" || type.shape === undefined) return { type, elements };
  if (type.shape.length > mostAxes) return { type: tensorType(type.dtype, undefined), elements };
  const known = value?.type.kind === "tensor" ? value.type.shape : undefined;
  const isSameRank = known?.length === type.shape.length;
  const shape = type.shape.map((size, axis) => {
    // What a damaged model comes to may be no size at all.
    if (!isVague(size, last) && !isNoInteger(size) && !(typeof size === "number" && size < 0))
      return size;
    const declared = isSameRank ? known[axis] : undefined;
    return isOfData && typeof declared === "number" ? dim.unknown() : (declared ?? dim.unknown());
  });
  return { type: tensorType(type.dtype, shape), elements };
}

/** What inference found, completed by what was known where it found nothing. */
function completed(found: ValueType, known: ValueType): ValueType {
  if (found.kind === "unknown") return known;
  if (found.kind !== "tensor" || known.kind !== "tensor") return found;
  return tensorType(found.dtype ?? known.dtype, found.shape ?? known.shape);
}
