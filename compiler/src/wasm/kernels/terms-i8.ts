import { i32, i32Subtract, i32x4, load, loadByte, loadSplat } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { nest } from "./nest.js";
import { termBytes } from "./rounding-i8.js";

/** How many factors there are: none, the same for all channels, or one for each. */
export type Factors = "none" | "one" | "each";

/**
 * What goes with sums of products of bytes whose zero point only a run knows: Σ w·(x − z) = Σ w·x − z·Σ w, so that sums
 * begin at −z·Σ w.
 */
export interface TermsI8Options {
  readonly groups: number;
  /** Of a group. */
  readonly channels: number;
  readonly factors: Factors;
}

/**
 * Loops: groups › vectors of channels. Sums lie in whole vectors by group, factors without gaps; what is behind a group's
 * last channel is not used. Parameters: zero point, sums of weights, factors, terms.
 */
export const termsI8: Kernel<TermsI8Options> = {
  name: "terms-i8",
  emit({ groups, channels, factors }) {
    const f = new FunctionBuilder(4);
    const [zero, sums, factor, terms] = f.parameters;
    if (zero === undefined || sums === undefined || factor === undefined || terms === undefined)
      return f;
    const [times, scale] = [f.local("v128"), f.local("v128")];
    f.set(times, i32x4.splat(i32Subtract(i32(0), loadByte(zero))));
    if (factors === "one") f.set(scale, loadSplat(factor));
    const vectors = vectorsOf(channels);
    const apart = factors === "each" ? floatBytes : 0;
    const ofVector = { count: vectors, steps: [vectorBytes, laneCount * apart, termBytes] };
    const ofGroup = {
      count: groups,
      steps: [vectors * vectorBytes, channels * apart, vectors * termBytes],
    };
    nest(f, [ofGroup, ofVector], [sums, factor, terms], () => {
      f.store(terms, 0, i32x4.multiply(times, load(sums)));
      if (factors !== "none") f.store(terms, vectorBytes, factors === "one" ? scale : load(factor));
    });
    return f;
  },

  reference({ groups, channels, factors }, { integers, bytes }, at) {
    const [zeroAt = 0, sumsAt = 0, factorsAt = 0, termsAt = 0] = at;
    const zero = bytes[zeroAt] ?? 0;
    const [sums, factor, terms] = [sumsAt, factorsAt, termsAt].map((place) => place / floatBytes);
    const lanes = vectorsOf(channels) * laneCount;
    for (let group = 0; group < groups; group += 1)
      for (let c = 0; c < lanes; c += 1) {
        const place = (terms ?? 0) + 2 * (group * lanes + c) - (c % laneCount);
        integers[place] = Math.imul(-zero, integers[(sums ?? 0) + group * lanes + c] ?? 0);
        if (factors === "none") continue;
        const own = factors === "one" ? 0 : group * channels + c;
        integers[place + laneCount] = integers[(factor ?? 0) + own] ?? 0;
      }
  },
};
