import { type Artifact, type Measure, PareError } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { optimize } from "./optimize.js";
import type { Optimized } from "./request.js";
import { bytesOf, device, original, requestFor } from "./search-request.test.support.js";
import { type Simulated, simulatedMeasure } from "./simulated-measure.test.support.js";

const isSmall = (artifact: Artifact): boolean => bytesOf(artifact) < 0.4 * bytesOf(original);
const crash = () => new PareError("ENGINE_CRASHED", "The engine ended.");
const plain = () => simulatedMeasure((artifact) => (isSmall(artifact) ? { ratio: 0.5 } : {}));

function refusing(measure: Simulated, own: (measure: Measure) => Partial<Measure>): Simulated {
  return {
    ...measure,
    ...own(measure),
    get spentMs() {
      return measure.spentMs;
    },
  };
}

it("stands by the times of the search where finalists cannot be timed together", async () => {
  const measure = refusing(plain(), ({ latency }) => ({
    async latency(ask) {
      if (ask.seed === 2) throw crash();
      return latency(ask);
    },
  }));
  const { variants } = await optimize(await requestFor(measure));
  expect(variants[0]?.measurement.latencyMs).toMatchObject({ ratio: 0.5 });
});

it("writes what was chosen though it could not be started from nothing", async () => {
  const measure = refusing(plain(), () => ({ coldStart: () => Promise.reject(crash()) }));
  const { variants } = await optimize(await requestFor(measure));
  expect(variants[0]?.measurement).toMatchObject({ memoryBytes: null, startupMs: null });
});

it("leaves out one target whose engine ends while its choice is timed, and no other", async () => {
  const measure = refusing(plain(), ({ latency }) => ({
    async latency(ask) {
      if (ask.seed === 3 && ask.target === "wasm") throw crash();
      return latency(ask);
    },
  }));
  const devices = [device("wasm"), device("cpu")];
  const { variants, skipped } = await optimize(await requestFor(measure, { devices }));
  expect(variants.map(({ target }) => target)).toEqual(["cpu"]);
  expect(skipped).toEqual([{ target: "wasm", reason: "The engine ended." }]);
});

it("leaves out one target whose engine refuses a sample of the float model's", async () => {
  const measure = refusing(plain(), ({ accuracy }) => ({
    async accuracy(ask) {
      if (ask.target === "wasm" && ask.split === "validation" && ask.count > 300) throw crash();
      return accuracy(ask);
    },
  }));
  const devices = [device("wasm"), device("cpu")];
  const { variants, skipped } = await optimize(await requestFor(measure, { devices }));
  expect(variants.map(({ target }) => target)).toEqual(["cpu"]);
  expect(skipped.map(({ target }) => target)).toEqual(["wasm"]);
});

it("says why no target could run the model where all refuse a sample of it", async () => {
  let isPlanned = false;
  const measure = refusing(plain(), ({ accuracy }) => ({
    async accuracy(ask) {
      if (isPlanned) throw crash();
      return accuracy(ask);
    },
  }));
  const devices = [device("wasm"), device("cpu")];
  const onPlan = () => void (isPlanned = true);
  const handedOver: number[] = [];
  const onImproved = async ({ variants }: Optimized) => void handedOver.push(variants.length);
  await expect(
    optimize(await requestFor(measure, { devices, onImproved, onPlan })),
  ).rejects.toMatchObject({
    code: "ENGINE",
    message: "No target could run the model: wasm: The engine ended.; cpu: The engine ended.",
  });
  expect(handedOver).toEqual([]);
});

it("goes on where what is best so far cannot be handed over, and hands over again", async () => {
  const handedOver: (string | undefined)[] = [];
  const request = await requestFor(plain(), {
    async onImproved({ variants }) {
      handedOver.push(variants[0]?.name);
      if (handedOver.length === 2) throw crash();
    },
  });
  const { variants } = await optimize(request);
  expect(variants[0]?.name).not.toBe("float");
  expect(handedOver.length).toBeGreaterThan(2);
  const full = new PareError("NO_SPACE", "The disk is full.");
  const cannot = await requestFor(plain(), { onImproved: () => Promise.reject(full) });
  await expect(optimize(cannot)).rejects.toBe(full);
});

it("takes another where what was turned down is refused when it is looked at after all", async () => {
  const fast = new Set<Artifact>();
  const said = simulatedMeasure((artifact) => {
    if (!isSmall(artifact)) return {};
    if (fast.size === 0) fast.add(artifact);
    return fast.has(artifact) ? { ratio: 0.5, testDrop: 0.2 } : { ratio: 0.9 };
  });
  const measure = refusing(said, ({ accuracy }) => ({
    async accuracy(ask) {
      if (isSmall(ask.artifact) && !fast.has(ask.artifact)) throw crash();
      return accuracy(ask);
    },
  }));
  const { variants } = await optimize(await requestFor(measure));
  expect(variants.map(({ artifact }) => isSmall(artifact))).toEqual([false]);
});

it("turns down what the user's own code cannot score, and throws where that is the float model", async () => {
  const unscored = new PareError("DATA_MODULE", "The data module failed: no box.");
  for (const split of ["validation", "test"] as const) {
    const measure = refusing(plain(), ({ accuracy }) => ({
      async accuracy(ask) {
        if (ask.split === split && isSmall(ask.artifact)) throw unscored;
        return accuracy(ask);
      },
    }));
    const { variants, candidates } = await optimize(await requestFor(measure));
    expect(variants.map(({ artifact }) => isSmall(artifact))).toEqual([false]);
    expect(candidates.map(({ reason }) => reason).join("\n")).toContain(unscored.message);
    const none = refusing(plain(), ({ accuracy }) => ({
      async accuracy(ask) {
        if (ask.split === split) throw unscored;
        return accuracy(ask);
      },
    }));
    await expect(optimize(await requestFor(none))).rejects.toBe(unscored);
  }
});

it("goes on without times where the model and its normal form cannot be timed together", async () => {
  const measure = refusing(plain(), ({ latency }) => ({
    async latency(ask) {
      if (ask.seed === 0) throw crash();
      return latency(ask);
    },
  }));
  const { variants } = await optimize(await requestFor(measure));
  expect(variants[0]?.measurement.latencyMs).toMatchObject({ ratio: 0.5 });
});

it("holds a target against no engine that does not take the model", async () => {
  const answering = [device("cpu"), device("wasm")];
  const given = { devices: [device("wasm")], answering };
  const refuses = (takes: boolean): Simulated =>
    refusing(plain(), ({ tryOut }) => ({
      parity: () => Promise.reject(new PareError("ENGINE", "There is no kernel.")),
      async tryOut(ask) {
        if (ask.target === "cpu" && !takes) throw new PareError("ENGINE", "There is no kernel.");
        return tryOut(ask);
      },
    }));
  const { variants } = await optimize(await requestFor(refuses(false), given));
  expect(variants[0]).toMatchObject({ target: "wasm", measurement: { parity: null } });
  expect(variants[0]?.groups.length).toBeGreaterThan(0);
  // What runs on both fails by itself.
  await expect(optimize(await requestFor(refuses(true), given))).rejects.toThrow("no kernel");
});
