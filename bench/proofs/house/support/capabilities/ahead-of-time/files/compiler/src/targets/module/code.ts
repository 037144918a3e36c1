/** Instructions of WebAssembly, encoded; an expression leaves one value on the stack. */
export type Code = readonly number[];

export function unsigned(value: number): Code {
  const low = value & 127;
  const rest = value >>> 7;
  return rest === 0 ? [low] : [low | 128, ...unsigned(rest)];
}

function signed(value: number): Code {
  const low = value & 127;
  const rest = value >> 7;
  const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
  return done ? [low] : [low | 128, ...signed(rest)];
}

/** Locals 0 to 15 are i32, the others f32. */
export const firstFloat = 16;
export const locals: Code = [2, firstFloat, 0x7f, 4, 0x7d];

export const int = (value: number): Code => [0x41, ...signed(value)];
export const get = (local: number): Code => [0x20, local];
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
/** As unsigned numbers: a negative index is a large one. */
export const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const both = (a: Code, b: Code): Code => [...a, ...b, 0x71];

export function float(value: number): Code {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
}
export const fadd = (a: Code, b: Code): Code => [...a, ...b, 0x92];
export const fmultiply = (a: Code, b: Code): Code => [...a, ...b, 0x94];
export const fmax = (a: Code, b: Code): Code => [...a, ...b, 0x97];

/** The element at an index of an array of float32. */
export function load(array: number, index: Code): Code {
  return [...multiply(index, int(4)), 0x2a, 2, ...unsigned(array)];
}
export function store(array: number, index: Code, value: Code): Code {
  return [...multiply(index, int(4)), ...value, 0x38, 2, ...unsigned(array)];
}

/** The body for each i from 0 to below `count`, which is at least 1. */
export function loop(i: number, count: number, body: Code): Code {
  const next: Code = [...add(get(i), int(1)), 0x22, i];
  return [...set(i, int(0)), 0x03, 0x40, ...body, ...below(next, int(count)), 0x0d, 0, 0x0b];
}

export function when(condition: Code, body: Code): Code {
  return [...condition, 0x04, 0x40, ...body, 0x0b];
}

/** Row-major: `index([[get(0), 28], [get(1), 28]])` is local 0 · 28 + local 1. */
export function index(places: readonly (readonly [Code, number])[]): Code {
  return places.reduce<Code>(
    (before, [at, size], axis) => (axis === 0 ? at : add(multiply(before, int(size)), at)),
    int(0),
  );
}
