import type { ValueId } from "../../ir/index.js";
import { dotAt, dots, type DotsOptions, dotsLength, mostDots } from "../kernels/dots.js";
import { floatBytes } from "../kernels/kernel.js";
import type { Place } from "../plan/plan.js";
import type { Lowering } from "./lowering.js";
import type { WeightsOf } from "./panels.js";

/** What is summed over for each tap: how many, and the bytes between two. */
interface Run {
  readonly count: number;
  readonly step: number;
}

/** Floats that lie behind one another: fewer would leave lanes empty. */
const leastRun = 8;
/** As much in a row of a window over one channel is worth joining. */
const leastWindow = 16;
/** Products of a result: joining its lanes takes as long as some of them, and code of its own. */
const leastProducts = 32;

/**
 * Has a convolution so few results at each place that what it sums over fills the lanes better than they do?
 * @param total products of one result
 */
export function suitsDots(
  group: number,
  outputs: number,
  { count, step }: Run,
  total: number,
): boolean {
  return (
    group === 1 &&
    outputs <= mostDots &&
    step === floatBytes &&
    count >= leastRun &&
    total >= leastProducts * outputs
  );
}

/** Does a window over one channel, whose lanes hold nothing else otherwise, have enough in a row to sum? */
export function isLongWindow(columns: number): boolean {
  return columns >= leastWindow;
}

/** Where the sums' operands lie, as `matrix` has them. */
interface Places {
  readonly input: Place;
  readonly bias: Place | undefined;
  readonly output: Place;
  readonly other: Place;
}

/**
 * @param total weights of one result
 */
export function planDots(
  l: Lowering,
  options: Omit<DotsOptions, "bias">,
  total: number,
  { value, weightOf }: { readonly value: ValueId; readonly weightOf: WeightsOf },
  { input, bias, output, other }: Places,
): void {
  const { run, outputs } = options;
  const weights = l.packed(value, (numbers) => {
    const own = weightOf(numbers);
    const packed = new Float32Array(dotsLength(total / run, run, outputs));
    for (let n = 0; n < outputs; n += 1)
      for (let k = 0; k < total; k += 1)
        packed[dotAt(Math.floor(k / run), k % run, n, run, outputs)] = own(k, n, 0);
    return packed;
  });
  l.plan.step(dots, { ...options, bias: bias !== undefined }, [
    input,
    weights,
    bias ?? weights,
    output,
    other,
  ]);
}
