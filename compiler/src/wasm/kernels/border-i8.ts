import type { Local } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { loadByteSplat } from "../encode/integer-vectors.js";
import { type Kernel, vectorBytes } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";

/** Writes one byte that only a run knows: the zero point around an input of a convolution. */
export interface BorderI8Options {
  /** Steps of the output. */
  readonly axes: readonly Axis[];
  /** Bytes next to one another. */
  readonly run: number;
}

/** Loops: axes › vectors. Parameters: the byte, the output. */
export const borderI8: Kernel<BorderI8Options> = {
  name: "border-i8",
  emit({ axes, run }) {
    const f = new FunctionBuilder(2);
    const output = f.parameter(1);
    const byte: Local<"v128"> = f.local("v128");
    f.set(byte, loadByteSplat(f.parameter(0)));
    nest(f, axes, [output], () => {
      const whole = { count: Math.floor(run / vectorBytes), steps: [vectorBytes] };
      const moved = nest(f, [whole], [output], () => f.store(output, 0, byte));
      if (run % vectorBytes > 0) f.storeBytes(output, 0, byte, run % vectorBytes);
      return moved;
    });
    return f;
  },

  reference({ axes, run }, { bytes }, [byte = 0, output = 0]) {
    const value = bytes[byte] ?? 0;
    walk(axes, [output], ([at = 0]) => bytes.fill(value, at, at + run));
  },
};
