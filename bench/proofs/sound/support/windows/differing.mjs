// Whether two answers to the same inputs are one answer.

/** Of the largest number in an output: what is folded rounds otherwise than what is computed. */
export const closeTo = 3e-3;
/** A sum that lies between two integers is rounded to either, and what is near 0 is divided by: then so many numbers may be others, or all by so little. */
const mostRounded = 0.02;
const mostNoise = 0.1;
const rounds =
  /Quant|^QLinear|Integer$|^(Round|Floor|Ceil|Cast|ArgMax|ArgMin|TopK|Mod|Div|Reciprocal|Equal|Less|Greater|Sign)/;

/** What gives no number now and then; what is made of that, kernels need not agree on. */
const leavesNumbers = new Set(["Log", "Sqrt", "Pow", "Div", "Reciprocal", "Exp", "Softmax"]);

function isInfinite({ dataType, rawData }) {
  if (dataType !== 1 || !(rawData instanceof Uint8Array)) return false;
  const { buffer } = Uint8Array.from(rawData);
  return !new Float32Array(buffer, 0, Math.floor(buffer.byteLength / 4)).every(Number.isFinite);
}

/**
 * Which output is another, in words; null where none is.
 * @param apart of the largest number of an output; `noise`: the root of what all of it differs by, of all of it
 */
export function differing(
  model,
  expected,
  actual,
  { apart, noise: mostApart } = { apart: closeTo },
) {
  const isRounded = model.graph.node.some(({ opType }) => rounds.test(opType));
  const isWild =
    model.graph.initializer.some(isInfinite) ||
    model.graph.node.some(
      ({ opType, attribute }) =>
        leavesNumbers.has(opType) || attribute.some(({ t }) => t !== undefined && isInfinite(t)),
    );
  for (const [name, { type, dims, data }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.type !== type || other.dims.join() !== dims.join())
      return `${name} is ${type}[${dims.join()}], and ${other?.type}[${other?.dims.join()}] here`;
    let largest = 0.05;
    let [signal, noise] = [0, 0];
    for (const [at, value] of data.entries()) {
      const number = Number(value);
      if (Number.isFinite(number)) largest = Math.max(largest, Math.abs(number));
      signal += number ** 2;
      noise += (number - Number(other.data[at])) ** 2;
    }
    if (mostApart !== undefined) {
      if (
        Number.isFinite(signal) &&
        !(noise <= mostApart ** 2 * signal) &&
        Math.min(noise, signal) > 1e-6
      )
        return `${name} is another by ${Math.sqrt(noise / signal)} of it`;
      continue;
    }
    const isOther = (at) => {
      const [x, y] = [Number(data[at]), Number(other.data[at])];
      if (isWild && !(Number.isFinite(x) && Number.isFinite(y))) return false;
      return !Object.is(x, y) && !(Math.abs(x - y) <= apart * largest);
    };
    const others = Array.from(data.keys()).filter(isOther);
    const [first] = others;
    if (first === undefined) continue;
    const isFew = others.length <= Math.max(1, mostRounded * data.length);
    if (isRounded && (isFew || noise <= mostNoise ** 2 * signal)) continue;
    return `${name}[${first}] is ${data[first]}, and ${other.data[first]} here; ${others.length} of ${data.length}`;
  }
  return null;
}
