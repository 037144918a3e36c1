import { describe, expect, it } from "vitest";
import { seeded } from "../statistics/random.js";
import { type BlockTimes, clockTick, planFor, timeBlocks, warmUp } from "./blocks.js";
import { percentiles, tailPercentile } from "./percentiles.js";
import { compareRatio, ratioOf } from "./ratio.js";

/** A clock that models move on; its hands step by `tick`. */
class FakeClock {
  #time = 0;
  readonly #tick: number;
  constructor(tick: number) {
    this.#tick = tick;
  }
  now(): number {
    this.#time += 1e-5;
    return Math.floor(this.#time / this.#tick) * this.#tick;
  }
  pass(ms: number): void {
    this.#time += ms;
  }
}

function model(clock: FakeClock, ms: (run: number) => number) {
  let run = 0;
  return async () => clock.pass(ms(run++));
}

describe("timing", () => {
  it("finds the step of a clock", () => {
    expect(clockTick(new FakeClock(0.1))).toBeCloseTo(0.1);
    expect(clockTick(new FakeClock(0.005))).toBeCloseTo(0.005);
  });

  it("warms up until a run is no longer getting faster", async () => {
    const clock = new FakeClock(0.001);
    const settled = await warmUp(
      model(clock, (run) => (run < 30 ? 100 - 3 * run : 10)),
      clock,
      60_000,
      0.001,
    );
    expect(settled).toBeCloseTo(10, 1);
  });

  it("gives up warming when its time is over", async () => {
    const clock = new FakeClock(0.001);
    await warmUp(
      model(clock, (run) => 1000 / (run + 1)),
      clock,
      2000,
      0.001,
    );
    expect(clock.now()).toBeLessThan(4000);
  });

  it.each([0.0002, 0.00095, 0.004, 0.012, 0.049])(
    "tells how long a run of %s ms takes on a clock that steps by 0.005",
    async (ms) => {
      const clock = new FakeClock(0.005);
      const run = model(clock, () => ms);
      const settled = await warmUp(run, clock, 1000, 0.005);
      expect(settled / ms).toBeCloseTo(1, 1);
      expect(clock.now()).toBeLessThan(100);
    },
  );

  it("makes a unit a hundred ticks of the clock", () => {
    const plan = planFor([0.02, 3], 0.1, 1);
    expect(plan.batch).toEqual([500, 4]);
    expect(planFor([3], 0.005, 1).batch).toEqual([1]);
  });

  it("runs unseen before it times only what is short", () => {
    expect(planFor([5, 400], 0.005, 1).unseen).toEqual([true, false]);
  });

  it("times models in one process in a random order, block by block", async () => {
    const clock = new FakeClock(0.0001);
    const order: string[] = [];
    const named = (name: string, ms: number) => async () => {
      order.push(name);
      clock.pass(ms);
    };
    const plan = {
      batch: [1, 1],
      units: [2, 2],
      unseen: [true, true],
      tickMs: 0.0001,
      expectedMs: 1,
      seed: 4,
    };
    const blocks = await timeBlocks([named("a", 2), named("b", 3)], plan, 30, clock);
    expect(blocks).toHaveLength(30);
    expect(ratioOf(blocks, 1).ratio).toBeCloseTo(1.5, 2);
    const first = Array.from({ length: 30 }, (_, block) => order[block * 6]);
    expect(first.filter((name) => name === "a").length).toBeGreaterThan(5);
    expect(first.filter((name) => name === "b").length).toBeGreaterThan(5);
  });
});

/** Blocks of a noisy machine: slow spells hit both models, and single runs are hit now and then. */
function noisyBlocks(factor: number, seed: number): BlockTimes[] {
  const random = seeded(seed);
  return Array.from({ length: 40 }, () => {
    const spell = 1 + random() ** 8;
    const run = (scale: number) =>
      5 * scale * spell * (1 + 0.02 * random() + (random() < 0.1 ? 0.5 : 0));
    return [Array.from({ length: 4 }, () => run(1)), Array.from({ length: 4 }, () => run(factor))];
  });
}

describe("ratios", () => {
  it("call no equal model slower, in 60 noisy trials", () => {
    const verdicts = Array.from({ length: 60 }, (_, trial) =>
      compareRatio(ratioOf(noisyBlocks(1, trial), trial).interval),
    );
    expect(verdicts.filter((verdict) => verdict === "worse" || verdict === "better")).toEqual([]);
  });

  it("find a slower one by 5 %, in nearly all of them", () => {
    const verdicts = Array.from({ length: 60 }, (_, trial) =>
      compareRatio(ratioOf(noisyBlocks(1.05, trial), trial).interval),
    );
    expect(verdicts.filter((verdict) => verdict === "worse").length).toBeGreaterThan(50);
  });

  it("have four outcomes", () => {
    expect(compareRatio([0.5, 0.9])).toBe("better");
    expect(compareRatio([1.03, 1.2])).toBe("worse");
    expect(compareRatio([0.99, 1.015])).toBe("tie");
    expect(compareRatio([0.95, 1.1])).toBe("inconclusive");
  });
});

const times = (n: number) => Float64Array.from({ length: n }, (_, index) => index);

describe("percentiles", () => {
  it("claim a tail only with runs enough for it", () => {
    expect(tailPercentile(times(661), 0.99)).toBeNull();
    expect(tailPercentile(times(662), 0.99)).toBe(660);
    expect(tailPercentile(times(63), 0.9)).toBeNull();
    expect(tailPercentile(times(64), 0.9)).toBe(62);
  });

  it("have no tail where each time is the mean of several runs", () => {
    expect(percentiles(Array.from(times(63)), 1).p90).toBeNull();
    expect(percentiles(Array.from(times(1000)), 4)).toEqual({ p50: 499.5, p90: null, p99: null });
  });

  it("are of the runs", () => {
    expect(
      percentiles(
        Array.from({ length: 101 }, (_, index) => index),
        1,
      ),
    ).toEqual({
      p50: 50,
      p90: 90,
      p99: null,
    });
  });
});
