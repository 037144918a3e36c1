import { type Executor, isPareError, PareError } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it } from "vitest";
import type { Graph } from "../../ir/index.js";
import { randomOf } from "../../pipeline/random.js";
import { readSafetensors, writeSafetensors } from "../../train/safetensors.js";
import {
  bars,
  examplesOf,
  network,
  workersHere,
  weightsOf,
} from "../../train/small-networks.test.support.js";
import { distill } from "../distill.js";
import { distillGraph } from "./distill-graph.js";
import type { DistillServices } from "./teach.js";

const samples = bars(72);
const services: DistillServices = {
  examples: examplesOf(samples),
  validation: examplesOf(bars(30, 3)),
  random: (name) => randomOf(4, name),
};

/** Ends a training after so many steps, and gives its checkpoint. */
async function interrupted(
  graph: Graph,
  options: Readonly<Record<string, unknown>>,
  steps: number,
  given: Partial<DistillServices> = {},
): Promise<Uint8Array> {
  const stop = new AbortController();
  let [done, saved]: [number, Uint8Array | null] = [0, null];
  const training = distillGraph(graph, distill.parse(options), {
    ...services,
    ...given,
    signal: stop.signal,
    onProgress: () => {
      done += 1;
      if (done === steps) stop.abort();
    },
    onCheckpoint: (bytes) => void (saved = bytes),
  });
  await expect(training).rejects.toMatchObject({ code: "ABORTED" });
  if (saved === null) throw new Error("no checkpoint");
  return saved;
}

describe("a training that was interrupted goes on as if it had not been, bit for bit", () => {
  it.each<[string, Readonly<Record<string, unknown>>, number]>([
    ["in the middle of an epoch, with AdamW and an average", { average: 0.95 }, 6],
    ["at the end of an epoch, with SGD", { optimizer: "sgd", schedule: "one-cycle" }, 8],
    ["before its first epoch is over, with a teacher", { temperature: 2 }, 1],
    ["with a teacher that is asked for each batch", { temperature: 2 }, 5],
    ["with dropout, which drops what it would have dropped", { average: 0.9 }, 6],
    ["with dropout and two workers", { workers: 2 }, 7],
  ])("%s", async (what, given, steps) => {
    const options = { epochs: 3, batch: 16, rate: 0.02, ...given };
    const keptBytes = what.includes("asked") ? 0 : undefined;
    const teacher = what.includes("teacher")
      ? { teacher: network({ width: 6, seed: 8 }), keptBytes }
      : {};
    const begun = (): Graph => network(what.includes("dropout") ? { dropout: 0.4 } : {});
    const examples = { ...services.examples, workers: workersHere(2) };
    const others = { ...teacher, ...(what.includes("workers") && { examples }) };
    const whole = begun();
    const facts = await distillGraph(whole, distill.parse(options), { ...services, ...others });
    const resume = await interrupted(begun(), options, steps, others);
    const halves = begun();
    const continued = { ...services, ...others, resume };
    const second = await distillGraph(halves, distill.parse(options), continued);
    expect(await weightsOf(halves)).toEqual(await weightsOf(whole));
    expect(second.history).toEqual(facts.history);
    expect(second.steps).toBe(12);
  });

  it("from a checkpoint that was due in the middle of an epoch", async () => {
    const options = distill.parse({ epochs: 2, batch: 16, rate: 0.02, average: 0.9 });
    const whole = network();
    const saved: Uint8Array[] = [];
    let asked = 0;
    await distillGraph(whole, options, {
      ...services,
      // After the second step of four, and after the last, which ends its epoch as well.
      checkpointDue: () => [2, 4].includes((asked += 1)),
      onCheckpoint: (bytes) => void saved.push(bytes),
    });
    expect(asked).toBe(8);
    expect(saved).toHaveLength(4);
    for (const resume of saved) {
      const rest = network();
      await distillGraph(rest, options, { ...services, resume });
      expect(await weightsOf(rest)).toEqual(await weightsOf(whole));
    }
  });

  it("from none that holds nothing new", async () => {
    const options = distill.parse({ epochs: 3, batch: 16, rate: 0.02, temperature: 2 });
    const teacher = network({ width: 6, seed: 8 });
    const saved: Uint8Array[] = [];
    const ended = async (given: Partial<DistillServices>): Promise<unknown> => {
      const onCheckpoint = (bytes: Uint8Array): void => void saved.push(bytes);
      const training = distillGraph(network(), options, { ...services, teacher, onCheckpoint, ...given });
      return training.then(() => "over", (error: unknown) => isPareError(error) && error.code);
    }; // prettier-ignore
    const whileAsked = (): Partial<DistillServices> => {
      const stop = new AbortController();
      return { signal: stop.signal, onTeacher: () => stop.abort() };
    };
    expect(await ended(whileAsked())).toBe("ABORTED");
    const resume = await interrupted(network(), options, 2, { teacher });
    expect(await ended({ ...whileAsked(), resume })).toBe("ABORTED");
    expect(saved).toHaveLength(0);
  });

  it("at a lower rate and in smaller batches, where it came to no good end", async () => {
    const options = { epochs: 3, batch: 16, rate: 0.02 };
    const resume = await interrupted(network(), options, 6);
    const graph = network();
    const lower = distill.parse({ epochs: 3, batch: 8, rate: 0.001, clip: 1 });
    const { batch, history } = await distillGraph(graph, lower, { ...services, resume });
    expect([batch, history.length]).toEqual([8, 3]);
    const larger = distill.parse({ epochs: 3, batch: 24, rate: 0.02 });
    await expect(distillGraph(network(), larger, { ...services, resume })).rejects.toMatchObject({
      message: expect.stringContaining('batch was "16", and is "24"'),
    });
  });

  it("in batches that fewer workers share", async () => {
    const examples = { ...services.examples, workers: workersHere(2) };
    const options = { epochs: 3, batch: 2, workers: 2, rate: 0.02 };
    const resume = await interrupted(network(), options, 6, { examples });
    const given = { ...services, examples, resume };
    const less = distill.parse({ ...options, batch: 1 });
    expect((await distillGraph(network(), less, given)).batch).toBe(1);
    const alone = distill.parse({ ...options, workers: 1 });
    await expect(distillGraph(network(), alone, given)).rejects.toMatchObject({
      message: expect.stringContaining('workers was "2", and is "1"'),
    });
  });

  it("only with what it began with", async () => {
    const options = { epochs: 3, batch: 16, rate: 0.02 };
    const resume = await interrupted(network(), options, 2);
    const again = async (
      graph: Graph,
      changed: Readonly<Record<string, unknown>>,
      other: Partial<DistillServices> = {},
    ): Promise<string> => {
      const started = distillGraph(graph, distill.parse({ ...options, ...changed }), {
        ...services,
        resume,
        ...other,
      });
      const error = await started.catch((thrown: unknown) => thrown);
      return isPareError(error) ? `${error.code}: ${error.message}` : "no error";
    };
    expect(await again(network(), { epochs: 4 })).toMatch(/MISMATCH: .*epochs was "3", and is "4"/);
    expect(await again(network(), {}, { random: (name) => randomOf(5, name) })).toMatch(
      /its seed was another/,
    );
    expect(await again(network(), {}, { examples: examplesOf(bars(80)) })).toMatch(
      /samples was 72/,
    );
    expect(await again(network(), {}, { examples: examplesOf(bars(72, 3)) })).toMatch(
      /its data was another/,
    );
    const relabelled = samples.map((one, at) => (at === 70 ? { ...one, label: 0 } : one));
    expect(await again(network(), {}, { examples: examplesOf(relabelled) })).toMatch(
      /its data was another/,
    );
    expect(await again(network(), { labels: "cross-entropy" })).toMatch(/labels was "auto"/);
    expect(await again(network(), { freeze: ["conv.*"] })).toMatch(/freeze was "\[\]"/);
    const teacher = network({ width: 6, seed: 8 });
    expect(await again(network(), {}, { teacher })).toMatch(/it had no teacher, and now has one/);
    expect(await again(network({ dropout: 0.2 }), {})).toMatch(/its student was another/);
    expect(await again(network({ width: 5 }), {})).toMatch(
      /INVALID: .*no array "parameter\.conv\.w"/,
    );
    expect(await again(network({ norm: false }), {})).toMatch(/its student was another/);
    const frozen = { ...options, freeze: ["conv.*"] };
    const begun = await interrupted(network(), frozen, 2);
    expect(await again(network({ seed: 2 }), frozen, { resume: begun })).toMatch(
      /its student was another/,
    );
    const { arrays, metadata } = readSafetensors(resume, "the checkpoint");
    const another = { dims: [1], data: Float32Array.of(1) };
    const more = new Map([...arrays, ["parameter.more", another]]);
    expect(
      await again(network(), {}, { resume: writeSafetensors({ arrays: more, metadata }) }),
    ).toMatch(/INVALID: .*an array "parameter\.more", which is not learned here/);
    const damaged = { resume: resume.subarray(0, resume.length - 4) };
    expect(await again(network(), {}, damaged)).toMatch(/lies at \d+ to \d+ of \d+ bytes/);
    expect(await again(network(), {}, { resume: new Uint8Array(3) })).toMatch(/too short/);
    // Of the same length, so that the header's own length stays true.
    const forged = (from: RegExp, to: string): Promise<string> => {
      const text = Buffer.from(resume).toString("latin1");
      expect(text).toMatch(from);
      const changed = text.replace(from, to);
      return again(network(), {}, { resume: new Uint8Array(Buffer.from(changed, "latin1")) });
    };
    expect(await forged(/batch\\":16/, 'batch\\":99')).toMatch(/does not say how far it came/);
    expect(await forged(/position\\":32/, 'position\\":99')).toMatch(/does not say how far/);
    expect(await forged(/epoch\\":0/, 'epoch\\":7')).toMatch(/does not say how far it came/);
  });
});

it("is told to begin once what can be checked without a step is", async () => {
  const resume = await interrupted(network(), { epochs: 2, batch: 16 }, 2);
  const told: string[] = [];
  const from = (bytes: Uint8Array, onReady = async () => void told.push("ready")) =>
    distillGraph(network(), distill.parse({ epochs: 2, batch: 16, temperature: 2 }), {
      ...services,
      teacher: network({ width: 6, seed: 8 }),
      resume: bytes,
      onReady,
      onTeacher: () => void told.push("teacher"),
    });
  await expect(from(resume)).rejects.toMatchObject({ code: "DATA_MISMATCH" });
  await expect(from(new Uint8Array(3))).rejects.toMatchObject({ code: "DATA_INVALID" });
  expect(told).toEqual([]);
  const begun = distillGraph(network(), distill.parse({ epochs: 2, batch: 16 }), {
    ...services,
    resume,
    onReady: () => Promise.reject(new Error("not now")),
    onProgress: () => void told.push("step"),
  });
  await expect(begun).rejects.toThrow("not now");
  expect(told).toEqual([]);
});

describe("a teacher", () => {
  it("says the same whether its answers are kept or asked for anew", async () => {
    const options = distill.parse({ epochs: 2, batch: 16, rate: 0.02 });
    const teacher = network({ width: 6, seed: 8 });
    const losses = async (keptBytes: number | undefined): Promise<readonly number[]> => {
      const given = { ...services, teacher, keptBytes };
      return (await distillGraph(network(), options, given)).history.map(({ loss }) => loss);
    };
    const [kept, asked] = [await losses(undefined), await losses(0)];
    for (const [index, loss] of kept.entries()) expect(asked[index]).toBeCloseTo(loss, 4);
  });
});

describe("validation", () => {
  it("is the share of right classes after each epoch, of samples that fill no whole batch", async () => {
    const options = { epochs: 6, batch: 16, rate: 0.02 };
    const { history } = await distillGraph(network(), distill.parse(options), services);
    const shares = history.map(({ validation }) => validation ?? -1);
    for (const share of shares) expect(share * 30).toBeCloseTo(Math.round(share * 30), 9);
    expect(shares.at(-1)).toBeGreaterThan(0.9);
    expect(history.at(-1)?.accuracy).toBeGreaterThan(0.9);
  });
});

/** An engine that holds no batch of more than so many samples. */
function smallEngine(most: number, code: "NO_MEMORY" | "ENGINE_CRASHED"): Executor {
  const engine = cpu();
  return {
    async load(artifact, options) {
      const session = await engine.load(artifact, options);
      return {
        ...session,
        run(feeds, signal) {
          const { x } = feeds;
          if (x !== undefined && "dims" in x && (x.dims[0] ?? 0) > most)
            return Promise.reject(new PareError(code, "The engine is out of memory."));
          return session.run(feeds, signal);
        },
      };
    },
  };
}

describe("an engine that is out of memory", () => {
  it.each(["NO_MEMORY", "ENGINE_CRASHED"] as const)(
    "keeps less, then gets half of a batch, which is said: %s",
    async (code) => {
      const notes: string[] = [];
      const graph = network();
      const options = distill.parse({ epochs: 8, batch: 32, rate: 0.02 });
      const { batch, history } = await distillGraph(graph, options, {
        ...services,
        validation: undefined,
        teacher: network({ width: 6, seed: 8 }),
        executor: smallEngine(8, code),
        onNote: (note) => notes.push(note),
      });
      expect(batch).toBe(8);
      expect(notes[0]).toContain("few values of a step are kept");
      expect(notes.slice(1).map((note) => /of (\d+) samples/.exec(note)?.[1])).toEqual(["16", "8"]);
      expect(history.at(-1)?.loss).toBeLessThan(history[0]?.loss ?? 0);
    },
  );

  it("is an error where not even one sample fits", async () => {
    const options = distill.parse({ epochs: 1, batch: 2 });
    const training = distillGraph(network(), options, {
      ...services,
      executor: smallEngine(0, "NO_MEMORY"),
    });
    await expect(training).rejects.toMatchObject({ code: "NO_MEMORY" });
  });
});

describe("numbers that are no longer finite", () => {
  /** An engine that is fed what is not finite, once. */
  function poisonedAt(run: number): Executor {
    const engine = cpu();
    let runs = 0;
    return {
      async load(artifact, options) {
        const session = await engine.load(artifact, options);
        return {
          ...session,
          run(feeds, signal) {
            runs += 1;
            const { x } = feeds;
            if (runs !== run || x === undefined || !("dims" in x))
              return session.run(feeds, signal);
            const data = new Float32Array(x.data.length).fill(Number.NaN);
            return session.run({ ...feeds, x: { ...x, data } }, signal);
          },
        };
      },
    };
  }

  it("end the training, and leave the checkpoint of the last epoch that had none", async () => {
    const options = distill.parse({ epochs: 3, batch: 16, rate: 0.02 });
    const saved: Uint8Array[] = [];
    // Four steps an epoch, after three runs that tell whether samples stay apart, and one that tells how channels lie: the
    // seventh is in the second.
    const training = distillGraph(network(), options, {
      ...services,
      validation: undefined,
      executor: poisonedAt(11),
      onCheckpoint: (bytes) => void saved.push(bytes),
    });
    await expect(training).rejects.toMatchObject({
      code: "DIVERGED",
      message: expect.stringMatching(/^Training stopped after 6 steps: the loss is NaN/),
    });
    expect(saved).toHaveLength(1);
    const [resume] = saved;
    const [whole, halves] = [network(), network()];
    const facts = await distillGraph(whole, options, { ...services, validation: undefined });
    const { arrays } = readSafetensors(resume ?? new Uint8Array(), "a checkpoint");
    for (const { data } of arrays.values()) expect(data.every(Number.isFinite)).toBe(true);
    const continued = { ...services, validation: undefined, resume };
    const second = await distillGraph(halves, options, continued);
    expect(await weightsOf(halves)).toEqual(await weightsOf(whole));
    expect(second.history).toEqual(facts.history);
  });
});

describe("safetensors", () => {
  it("hold what was put in", () => {
    const arrays = new Map([
      ["a", { dims: [2, 2], data: Float32Array.of(1, -2, 3.5, Number.NaN) }],
      ["b", { dims: [], data: Float32Array.of(7) }],
      ["none", { dims: [0, 3], data: new Float32Array() }],
    ]);
    const bytes = writeSafetensors({ arrays, metadata: { what: "a test" } });
    // As it comes of a file: a view into a larger buffer, at any offset.
    const among = new Uint8Array(bytes.length + 9);
    among.set(bytes, 3);
    const read = readSafetensors(among.subarray(3, 3 + bytes.length), "a file");
    expect(read.arrays).toEqual(arrays);
    expect(read.metadata).toEqual({ what: "a test" });
  });
});
