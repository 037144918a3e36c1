import {
  bits,
  f32x4,
  f64x2,
  floats,
  i32,
  load,
  loadSplat,
  type Local,
  shuffle,
  tee,
  type Vector,
} from "../wasm/encode/expression.js";
import { FunctionBuilder } from "../wasm/encode/function-builder.js";
import { ModuleBuilder } from "../wasm/encode/module-builder.js";
import { lessUnsigned } from "../wasm/encode/scalar.js";

/** Arrays begin at multiples of it, and are filled up to it with zeros: a loop takes so much at once. */
export const chunkBytes = 32;
const vectorBytes = 16;

/** Of what a loop gives: two float64, whose sum it is. */
export const resultAt = 64;
/** The first array's; numbers of a loop, float32, lie before it. */
export const firstArrayAt = 96;
/** Nearer to 0 a moment is 0: it moves no weight, and processors take long over numbers that are smaller still. */
const leastMoment = 1e-30;

/**
 * A module of loops over arrays in its memory, by vectors. Parameters are addresses, the last one the first array's end;
 * other numbers lie at the memory's begin.
 * - `adapt(w, g, m, v, end)`: a step of Adam, its numbers being those of `Adaptation`
 * - `blend(into, more, end)`: into ← a · into + b · more
 * - `squares(x, end)`: Σ x², in float64
 */
export function vectorLoops(memoryBytes: number, isShared: boolean): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.add(adapt(), "adapt");
  module.add(blend(), "blend");
  module.add(squares(), "squares");
  return module.encode(memoryBytes, isShared);
}

/** Runs `body` for each vector up to the first array's end, which is the parameter after the arrays. */
function overVectors(
  f: FunctionBuilder,
  arrays: readonly Local<"i32">[],
  body: (offset: number) => void,
): void {
  const [first = f.parameter(0)] = arrays;
  f.repeatWhile(lessUnsigned(first, f.parameter(arrays.length)), () => {
    for (let offset = 0; offset < chunkBytes; offset += vectorBytes) body(offset);
    for (const pointer of arrays) f.advance(pointer, chunkBytes);
  });
}

/** The number that lies at this place among those of a loop, in all lanes. */
function number(f: FunctionBuilder, at: number): Local<"v128"> {
  const local = f.local("v128");
  f.set(local, loadSplat(i32(0), 4 * at));
  return local;
}

function adapt(): FunctionBuilder {
  const f = new FunctionBuilder(5);
  const [w, gradient, mean, square] = [
    f.parameter(0),
    f.parameter(1),
    f.parameter(2),
    f.parameter(3),
  ];
  const [scale, beta1, rest1, beta2, rest2] = [
    number(f, 0),
    number(f, 1),
    number(f, 2),
    number(f, 3),
    number(f, 4),
  ];
  const [size, root, epsilon, keep] = [number(f, 5), number(f, 6), number(f, 7), number(f, 8)];
  const [g, m, v] = [f.local("v128"), f.local("v128"), f.local("v128")];
  const { add, subtract, multiply, divide, squareRoot } = f32x4;
  overVectors(f, [w, gradient, mean, square], (at) => {
    f.set(g, multiply(load(gradient, at), scale));
    const moved = add(multiply(beta1, load(mean, at)), multiply(rest1, g));
    f.set(m, cleared(m, moved));
    f.store(mean, at, m);
    const spread = add(multiply(beta2, load(square, at)), multiply(multiply(rest2, g), g));
    f.set(v, cleared(v, spread));
    f.store(square, at, v);
    const step = divide(multiply(size, m), add(multiply(squareRoot(v), root), epsilon));
    f.store(w, at, subtract(multiply(keep, load(w, at)), step));
  });
  return f;
}

/** What is next to nothing is 0. */
function cleared(x: Local<"v128">, value: Vector): Vector {
  // On the stack first: the local is set before it is looked at again.
  const whole = tee(x, value);
  return bits.and(whole, f32x4.lessOrEqual(floats(leastMoment), f32x4.absolute(x)));
}

function blend(): FunctionBuilder {
  const f = new FunctionBuilder(3);
  const [into, more] = [f.parameter(0), f.parameter(1)];
  const [kept, weight] = [number(f, 0), number(f, 1)];
  const { add, multiply } = f32x4;
  overVectors(f, [into, more], (at) => {
    f.store(into, at, add(multiply(kept, load(into, at)), multiply(weight, load(more, at))));
  });
  return f;
}

function squares(): FunctionBuilder {
  const f = new FunctionBuilder(2);
  const x = f.parameter(0);
  // As many sums beside one another as a chunk has pairs: none waits for the one before.
  const sums = f.vectors(chunkBytes / 8);
  const [four, pair] = [f.local("v128"), f.local("v128")];
  overVectors(f, [x], (at) => {
    f.set(four, load(x, at));
    for (const half of [0, 1]) {
      const sum = sums[at / 8 + half] ?? four;
      const lanes = half === 0 ? four : shuffle(four, four, [2, 3, 2, 3]);
      f.set(pair, f64x2.fromFloats(lanes));
      f.set(sum, f64x2.add(sum, f64x2.multiply(pair, pair)));
    }
  });
  const total = sums.reduce<Vector>((all, sum) => f64x2.add(all, sum), floats(0));
  f.store(i32(0), resultAt, total);
  return f;
}
