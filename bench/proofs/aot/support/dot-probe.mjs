// A module that tells by its speed whether the machine has an instruction for dot products of bytes.
import { i32, i32x4, integers } from "../../../../compiler/dist/wasm/encode/expression.js";
import { FunctionBuilder } from "../../../../compiler/dist/wasm/encode/function-builder.js";
import { dots } from "../../../../compiler/dist/wasm/encode/integer-vectors.js";
import { ModuleBuilder, pageBytes } from "../../../../compiler/dist/wasm/encode/module-builder.js";

/** So many sums that do not wait for one another, so often. */
const sums = 12;
const rounds = 20000;

export function dotProbe() {
  const module = new ModuleBuilder();
  const add = (name, product) => {
    const f = new FunctionBuilder(0);
    const own = f.vectors(sums);
    const [x, y] = f.vectors(2);
    f.set(x, integers(0x01020304));
    f.set(y, integers(0x04030201));
    f.times(rounds, () => own.forEach((sum) => f.set(sum, product(x, y, sum))));
    own.forEach((sum, at) => f.store(i32(0), at * 16, sum));
    module.add(f, name);
  };
  add("dots", dots.relaxedOfBytes);
  add("pairs", (x, y, sum) => i32x4.add(dots.ofHalves(x, y), sum));
  return module.encode(pageBytes);
}
