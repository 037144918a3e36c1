// Inputs for a window, made up by a number.
import { dtypeOfCode } from "../../../../../compiler/dist/index.js";
import { dtypeArray } from "../../../../../runtime/dist/format/index.js";
import { randomStream } from "../choices.mjs";

/** Inputs of more numbers are not made up. */
const mostNumbers = 2 ** 18;

/** What gives no number for one below 0. */
const ofPositive = new Set(["Pow", "Sqrt", "Log", "Reciprocal"]);

/** Others are not made up. */
const made = new Set("float32 uint8 int8 int32 int64 bool float16 float64".split(" "));

/**
 * @param salt draws the numbers, and what free sizes are: 1 where it is even, and by their names where it is odd
 * @returns null where a type is not made up, or there are too many numbers
 */
export function feedsOf(model, salt) {
  const random = randomStream(salt);
  const feeds = {};
  const isPositive = model.graph.node.some(({ opType }) => ofPositive.has(opType));
  const defaults = new Set(model.graph.initializer.map(({ name }) => name));
  for (const { name, type } of model.graph.input) {
    if (defaults.has(name)) continue;
    const { elemType, shape } = type.tensorType;
    const dims = (shape?.dim ?? []).map(({ dimValue, dimParam }) =>
      dimParam === undefined ? Number(dimValue) : sizeOf(dimParam, salt),
    );
    const count = dims.reduce((product, size) => product * size, 1);
    const dtype = dtypeOfCode(elemType);
    if (!made.has(dtype) || count > mostNumbers) return null;
    const data = dtypeArray[dtype].from({ length: count }, numbersOf(dtype, random, isPositive));
    feeds[name] = { type: dtype, dims, data };
  }
  return feeds;
}

/** Exporters give sizes that are the same one name. */
function sizeOf(name, salt) {
  if (salt % 2 === 0) return 1;
  let hash = salt;
  for (const char of name) hash = (Math.imul(hash, 31) + char.codePointAt(0)) >>> 0;
  return 2 + (hash % 3);
}

/** Small ones: most of what integers are is indices. */
function numbersOf(dtype, random, isPositive) {
  if (dtype === "int64") return () => BigInt(random.below(3));
  // Halves as bits: from a half to 2, of either sign.
  if (dtype === "float16") return () => (random.below(2) << 15) | (0x3800 + random.below(0x800));
  if (dtype.startsWith("float"))
    return isPositive ? () => 0.1 + random.next() * 2 : () => random.next() * 4 - 2;
  return () => random.below(dtype === "bool" ? 2 : 3);
}
