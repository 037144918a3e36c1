/** The numbers of one step on one array. */
export interface Adaptation {
  /** On the gradient. */
  readonly scale: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** rate / (1 − β₁ᵗ) */
  readonly size: number;
  /** 1 / √(1 − β₂ᵗ) */
  readonly root: number;
  /** 1 − rate·λ */
  readonly keep: number;
}

/**
 * Adam's loop in WebAssembly, two elements at a time: a root and a division for each are what it costs. It computes in
 * float64 and rounds what it stores, as JavaScript would, bit for bit. Where engines run models, vectors run too.
 */
export type AdamWKernel = (
  /** Byte offsets in the memory, multiples of 8. */
  values: number,
  gradient: number,
  mean: number,
  square: number,
  /** Elements, at least one; where it is odd, one more is written. */
  count: number,
  numbers: Adaptation,
) => void;

export function adamwKernel(memory: WebAssembly.Memory): AdamWKernel {
  const module = new WebAssembly.Module(moduleBytes());
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } });
  const run = exports["f"] as (...numbers: readonly number[]) => void;
  return (values, gradient, mean, square, count, numbers) => {
    const { scale, beta1, beta2, epsilon, size, root, keep } = numbers;
    const end = values + 4 * count;
    const rest = [scale, beta1, 1 - beta1, beta2, 1 - beta2, size, root, epsilon, keep];
    run(values, gradient, mean, square, end, ...rest);
  };
}

type Code = readonly number[];

// Byte for byte as https://webassembly.github.io/spec/core/binary has it; all sizes here are below 128, or `sized`.
const [i32, f64, v128] = [0x7f, 0x7c, 0x7b];
const block = 0x40;
const end = 0x0b;
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const vector = (code: number): Code => [0xfd, ...unsigned(code)];
const aligned8 = [3, 0];
/** Two float32 as float64, and back. */
const load = (pointer: number): Code => [
  ...get(pointer),
  ...vector(0x5d),
  ...aligned8,
  ...vector(0x5f),
];
const store = (pointer: number, value: Code): Code => [
  ...get(pointer),
  ...value,
  ...vector(0x5e),
  ...vector(0x5b),
  ...aligned8,
  0,
];
const binary =
  (code: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...vector(code)];
const plus = binary(0xf0);
const minus = binary(0xf1);
const times = binary(0xf2);
const over = binary(0xf3);
const squareRoot = (x: Code): Code => [...x, ...vector(0xef)];
const splat = (x: Code): Code => [...x, ...vector(0x14)];

/** Parameters: four pointers and the first one's end, then the numbers; then the numbers in every lane, and g, m, v. */
const [w, gradient, mean, square, last] = [0, 1, 2, 3, 4];
const firstNumber = 5;
const numberCount = 9;
const inAllLanes = (at: number): Code => get(firstNumber + numberCount + at);
const [scale, beta1, rest1] = [inAllLanes(0), inAllLanes(1), inAllLanes(2)];
const [beta2, rest2] = [inAllLanes(3), inAllLanes(4)];
const [size, root, epsilon, keep] = [inAllLanes(5), inAllLanes(6), inAllLanes(7), inAllLanes(8)];
const g = firstNumber + 2 * numberCount;
const m = g + 1;
const v = m + 1;

function body(): Code {
  const spread = Array.from({ length: numberCount }, (_, at) =>
    set(firstNumber + numberCount + at, splat(get(firstNumber + at))),
  ).flat();
  const step = [
    ...set(g, times(load(gradient), scale)),
    ...set(m, plus(times(beta1, load(mean)), times(rest1, get(g)))),
    ...store(mean, get(m)),
    ...set(v, plus(times(beta2, load(square)), times(times(rest2, get(g)), get(g)))),
    ...store(square, get(v)),
    ...store(
      w,
      minus(
        times(keep, load(w)),
        over(times(size, get(m)), plus(times(squareRoot(get(v)), root), epsilon)),
      ),
    ),
  ];
  const forth = [w, gradient, mean, square].flatMap((pointer) =>
    set(pointer, [...get(pointer), 0x41, 8, 0x6a]),
  );
  const again = [...get(w), ...get(last), 0x49, 0x0d, 0];
  return [...spread, 0x03, block, ...step, ...forth, ...again, end, end];
}

const preamble: Code = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const parameters = [i32, i32, i32, i32, i32, ...Array<number>(numberCount).fill(f64)];
  const locals = [1, numberCount + 3, v128];
  return Uint8Array.from([
    ...preamble,
    ...section(1, [1, 0x60, parameters.length, ...parameters, 0]),
    ...section(2, [1, ...name("m"), ...name("m"), 0x02, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name("f"), 0, 0]),
    ...section(10, [1, ...sized([...locals, ...body()])]),
  ]);
}

function section(id: number, content: Code): Code {
  return [id, ...sized(content)];
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return sized([...new TextEncoder().encode(text)]);
}

/** LEB128 */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
