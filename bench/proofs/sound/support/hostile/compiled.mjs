// What a model is as a module: whether it compiles, and what it answers to made-up inputs.
import { findTarget } from "../../../../../compiler/dist/compiler.js";
import { aot } from "../../../../../runtime/dist/backends/aot.js";
import { randomStream } from "../choices.mjs";

/** Inputs of more numbers are not made up. */
const mostNumbers = 2 ** 20;

/**
 * A model that nothing stands against is written as a module and run.
 * @returns inputs and what they gave: `outputs`, or `trapped`; null where it is not compiled, or its inputs are large
 * @throws PareError where it is refused though nothing stands against it; anything else is a finding
 */
export async function answersOf(graph) {
  const target = findTarget("aot");
  if ((await target.obstacles(graph)).length > 0) return null;
  const session = await aot().load(await target.emit(graph, {}));
  try {
    const counts = session.inputs.map(({ dims }) => dims.reduce((count, size) => count * size, 1));
    if (counts.reduce((sum, count) => sum + count, 0) > mostNumbers) return null;
    const random = randomStream(5);
    const feeds = Object.fromEntries(
      session.inputs.map(({ name, type, dims }, at) => [
        name,
        { type, dims, data: numbersOf(type, counts[at], random) },
      ]),
    );
    try {
      return { feeds, outputs: await session.run(feeds) };
    } catch (error) {
      // An index outside of a tensor, a division by 0: the engine is asked whether it runs that.
      if (error?.code !== "ENGINE") throw error;
      return { feeds, trapped: error.message };
    }
  } finally {
    await session.dispose();
  }
}

const arrays = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** A half, as bits: zero, or from 1 to 2, of either sign. */
const halfOf = ({ below }) => (below(4) === 0 ? 0 : (below(2) << 15) | 0x3c00 | below(2 ** 10));

/** Small numbers: most of what integers are is indices. */
function numbersOf(type, count, random) {
  const { next, below } = random;
  const made = (one) => Array.from({ length: count }, one);
  if (type === "int64") return BigInt64Array.from(made(() => BigInt(below(3))));
  if (type === "float16") return Uint16Array.from(made(() => halfOf(random)));
  if (type === "string") return made(() => "abc"[below(3)]);
  const one = type.startsWith("float")
    ? () => next() * 4 - 2
    : () => below(type === "bool" ? 2 : 3);
  return arrays[type].from(made(one));
}
