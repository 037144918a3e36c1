import type { Graph, Inferred, Node, ValueId } from "../../ir/index.js";
import { inferNode, operatorOf } from "../../ops/index.js";
import { attributesOf } from "../../rules/pattern.js";
import { crashesInFloat16 } from "./crashing-product.js";
import { standsBetweenIntegers } from "./quantized-part.js";

/**
 * By which input an operator divides. What float16 cannot hold becomes its largest number, which a mask or a limit means as well;
 * a variance, or what is divided by, does not.
 */
const divisors: ReadonlyMap<string, number> = new Map([
  ["BatchNormalization", 4],
  ["Div", 1],
]);

/** Constants that float16 cannot hold. */
export interface Beyond {
  readonly all: ReadonlySet<ValueId>;
  /** Those of them with numbers that are no mask. */
  readonly meant: ReadonlySet<ValueId>;
  /** Those of which even the largest number has not all its digits in float16, or becomes another one. */
  readonly small: ReadonlySet<ValueId>;
}

/** Why an operator without bodies stays float32; null where it has a float16 form. */
export function staysFloat(graph: Graph, node: Node, beyond: Beyond): string | null {
  if (node.domain !== "") return `${node.domain}.${node.op} is not known to have a float16 form`;
  const operator = operatorOf(node);
  if (operator === undefined) return `${node.op} is not known, and so the type it would give`;
  if (isOfFloat32(node)) return `${node.op} stays float32`;
  if ([...node.inputs, ...node.outputs].some((value) => value !== null && isUntyped(graph, value)))
    return `${node.op} works on a value whose type is not known`;
  if ([...node.inputs, ...node.outputs].some((value) => value !== null && isNested(graph, value)))
    return `${node.op} works on values that are no tensors`;
  if (standsBetweenIntegers(graph, node)) return "it is quantized already";
  const divisor = node.inputs[divisors.get(node.op) ?? Infinity];
  if (divisor !== undefined && divisor !== null && beyond.all.has(divisor))
    return `it divides by ${graph.value(divisor).name}, which float16 cannot hold`;
  for (const input of node.inputs)
    if (input !== null && beyond.meant.has(input))
      return `it reads ${graph.value(input).name}, which float16 cannot hold`;
  const factor = factorsOf(node).find((input) => beyond.small.has(input));
  if (factor !== undefined)
    return `it multiplies by ${graph.value(factor).name}, which is smaller than what float16 holds`;
  if (crashesInFloat16(graph, node))
    return "onnxruntime's CPU engine ends itself on a float16 Transpose of this kind before a product";
  // Of a malformed node the file's declaration is all that says what it gives, and that would not change.
  const inferred = inferNode(graph, node);
  if (node.outputs.some((output, index) => output !== null && !isTyped(inferred[index])))
    return `what ${node.op} gives does not follow from what it takes`;
  return null;
}

/** What scales a result: what is added to one, an epsilon, may be as small as it wants. */
function factorsOf(node: Node): readonly ValueId[] {
  const scales = node.op === "Mul" || node.op === "Div";
  const weights = operatorOf(node)?.traits.weights?.map(({ input }) => node.inputs[input]) ?? [];
  return [...(scales ? node.inputs : []), ...weights].filter(
    (input) => input !== null && input !== undefined,
  );
}

function isOfFloat32(node: Node): boolean {
  const form = operatorOf(node)?.traits.float16;
  if (typeof form !== "object" || !("stays" in form)) return form === "stays";
  return form.stays(attributesOf(node));
}

function isTyped(inferred: Inferred | undefined): boolean {
  return (
    inferred !== undefined && (inferred.type.kind !== "tensor" || inferred.type.dtype !== undefined)
  );
}

/** Nothing tells what it holds, so that it cannot be told from other numbers. */
export function isUntyped(graph: Graph, value: ValueId): boolean {
  const { type } = graph.value(value);
  return type.kind === "unknown" || (type.kind === "tensor" && type.dtype === undefined);
}

function isNested(graph: Graph, value: ValueId): boolean {
  const { kind } = graph.value(value).type;
  return kind === "sequence" || kind === "optional" || kind === "map";
}
