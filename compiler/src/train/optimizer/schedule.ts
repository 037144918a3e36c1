/** How the rate goes over a training. */
export interface Schedule {
  readonly kind: "constant" | "cosine" | "one-cycle";
  /** Share of the training in which the rate rises from 0, before the rest of the schedule; 0 to below 1. */
  readonly warmUp: number;
}

/** Where a cycle starts and ends, as shares of the highest rate: Smith and Topin's, with PyTorch's numbers. */
const cycleStart = 1 / 25;
const cycleEnd = 1 / 250_000;
/** Share of a cycle in which the rate rises, where no warm-up is given. */
const cycleRise = 0.3;

/**
 * The factor on the rate at a point of the training, 0 to 1. `cosine` falls to 0: Loshchilov and Hutter, SGDR, ICLR 2017.
 * `one-cycle` rises from 1/25 and falls to 1/250,000, both along a cosine: Smith and Topin, Super-convergence, 2019.
 * @param done share of the training that is over, 0 to below 1
 */
export function rateFactor({ kind, warmUp }: Schedule, done: number): number {
  switch (kind) {
    case "constant":
      return rising(warmUp, done);
    case "cosine": {
      if (done < warmUp) return rising(warmUp, done);
      return between(1, 0, (done - warmUp) / (1 - warmUp));
    }
    case "one-cycle": {
      const top = warmUp > 0 ? warmUp : cycleRise;
      return done < top
        ? between(cycleStart, 1, done / top)
        : between(1, cycleEnd, (done - top) / (1 - top));
    }
    default:
      return kind satisfies never;
  }
}

/** In a straight line from 0 to 1. */
function rising(warmUp: number, done: number): number {
  return done < warmUp ? done / warmUp : 1;
}

/** From one number to another along half a cosine. */
function between(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
}
