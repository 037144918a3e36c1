import type {
  Accuracy,
  PassAccount,
  Precision,
  ReportCandidate,
  ReportStep,
} from "@pare/runtime/format";
import { expect, it } from "vitest";
import type { Evaluation } from "../workbench/evaluation.js";
import { besideThePlan } from "@pare/compiler";
import { nextStep } from "./next-step.js";

const accuracy: Accuracy = {
  metric: "top1",
  direction: "higher",
  value: 0.9,
  n: 2000,
  measuredOn: "cpu",
  interval: [0.89, 0.91],
  drop: 0,
  dropInterval: [-0.001, 0.001],
  flips: null,
};

/** Only what the advice looks at. */
function advice(
  changed: Partial<Accuracy>,
  evidence: Evaluation["evidence"] = "labelled",
  candidates: readonly Partial<ReportCandidate>[] = [],
  tested = 2000,
  steps: readonly Partial<ReportStep>[] = [],
  baseline: Partial<Accuracy> = {},
  chosen = { latency: 1, size: 1 },
  prefer: "latency" | "size" = "latency",
  hasLabels = false,
  precision: Precision = "int8",
) {
  const report = {
    source: "d",
    calibration: 100,
    validation: 200,
    test: 2000,
    seed: 0,
    caveat: null,
  };
  const measurement = {
    accuracy: { ...accuracy, ...changed },
    latencyMs: { ratio: chosen.latency },
    sizeBytes: { brotli: 100 * chosen.size },
  };
  return nextStep(
    { inputs: [], outputs: [{ name: "y", type: "float32", dims: ["N", 4] }] },
    { evidence, report, samples: { labelled: hasLabels } } as Evaluation,
    {
      variants: [
        {
          measurement,
          precision,
          target: "cpu",
          baseline: { accuracy: { value: 1, ...baseline }, sizeBytes: { brotli: 100 } },
        },
      ],
      candidates,
      tested: { cpu: tested },
      steps,
    } as never,
    { limits: () => ({ maxDrop: 0.01 }), prefer },
  );
}

it("is nothing where labels decide", () => {
  expect(advice({})).toBeNull();
});

it("is to look at the data of a model that is right by chance alone", () => {
  expect(advice({ value: 0.263, n: 1050 })).toMatch(/no more often than chance, 0.250, would be/);
  expect(advice({ value: 0.2, drop: 0.06, n: 1050 })).toMatch(/chance/);
  expect(advice({ value: 0.29, n: 1050 })).toBeNull();
  expect(advice({ value: 0.263, n: 1050, metric: "f1" })).toBeNull();
});

it("is to say how much an error may grow, where what is allowed has nothing to do with its size", () => {
  const error = { metric: "mse", direction: "lower" } as const;
  expect(advice({ ...error, value: 0.000467, drop: 0.000232 })).toMatch(
    /^A drop of 0.01 is 43 times the float model's own mse of 0.000235.*--max-drop 0.000024/,
  );
  expect(advice({ ...error, value: 1.4e8 })).toMatch(/next to nothing of .*--max-drop 14000000/);
  expect(advice({ ...error, value: 0.3 })).toBeNull();
  // A share of letters, and an error that is none.
  expect(advice({ ...error, metric: "cer", value: 0.004 })).toBeNull();
  expect(advice({ ...error, value: 1e-9 })).toBeNull();
});

it("is no more time, where that would not let a candidate be tried", () => {
  const candidate = {
    name: "a",
    target: "cpu",
    reason: `${besideThePlan}, expected at 0.9`,
  } as const;
  expect(advice({}, "labelled", [candidate])).toBeNull();
});

it("is more time before labels, where nothing of what may be better was tried", () => {
  const untried = { name: "int8", target: "cpu", reason: "not tried: no time" } as const;
  const of = (precision: Precision, candidates: readonly Partial<ReportCandidate>[]) =>
    advice({}, "unlabelled", candidates, 0, [], {}, undefined, "latency", false, precision);
  expect(of("float32", [untried])).toMatch(/^More time: 1 candidate .* int8 on cpu/);
  expect(of("int8", [untried])).toMatch(/^Labels would show/);
  expect(of("float32", [])).toMatch(/^Labels would show/);
});

it("is to look at labels that the float model never gives", () => {
  expect(advice({ value: 0 })).toMatch(/^Look at the labels/);
  expect(advice({ value: 0, drop: 0.9 })).toBeNull();
  expect(advice({ value: 0, n: 5 })).toBeNull();
  expect(advice({ value: 0.0015 })).toMatch(/^Look at the labels/);
  expect(advice({ value: 0, metric: "mse", direction: "lower" })).toBeNull();
});

it("is to look at a metric of one's own by which the float model is never right", () => {
  const own = { metric: "accuracy" } as const;
  expect(advice({ ...own, value: 0 })).toMatch(/^Look at the metric accuracy: it is 0 .*`predict`/);
  expect(advice({ ...own, value: 0, drop: 0.9 })).toBeNull();
  expect(advice({ ...own, value: 0.001 })).toBeNull();
  expect(advice({ ...own, direction: "lower", value: 1 })).toMatch(/^Look at the metric/);
});

it("is to look at data of which the model itself makes no numbers", () => {
  const own = (baseline: Partial<Accuracy>) => advice({}, "unlabelled", [], 2000, [], baseline);
  const agreement = { metric: "top1-agreement", direction: "higher" } as const;
  expect(own({ ...agreement, value: 0.4 })).toMatch(/^Look at the data/);
  expect(own({ ...agreement, value: Number.NaN })).toMatch(/^Look at the data/);
  expect(own({ ...agreement, value: 1 })).toMatch(
    /^Labels would show.* --metric concordance compares/,
  );
  expect(own({ metric: "mse", direction: "lower", value: 0 })).toMatch(/^Labels would show/);
  // What is no class, no subfolder is a label of.
  expect(own({ metric: "concordance", direction: "higher", value: 1 })).toMatch(/^`score` of a/);
});

it("is more samples to learn from where few taught a step that was turned down, before more time", () => {
  const untried = { name: "int8-static", target: "cpu", reason: "not tried: no time" } as const;
  const given = (samples: number, verdict: ReportStep["verdict"], drop: number) => {
    const account: PassAccount = {
      kind: "training",
      learnedFrom: ["labels", "teacher"],
      samples,
      steps: 24,
      batch: 32,
      epochCount: 8,
      epochs: [],
    };
    const share = { use: "distill", account } as never;
    const measurement = { accuracy: { ...accuracy, drop } } as never;
    const step = { name: "prune: prune, distill", verdict, measurement, shares: [share] };
    return advice({}, "labelled", [untried], 2000, [step]);
  };
  expect(given(100, "reverted", 0.0899999)).toBe(
    "More samples to learn from: prune was taught by 100 and lost 0.09 of top1. A data module names them as splits.training; they are no part of what is tested, and need no labels.",
  );
  for (const [samples, verdict, drop] of [
    [5000, "reverted", 0.09],
    [100, "kept", 0.005],
    [100, "reverted", 0.001],
  ] as const)
    expect(given(samples, verdict, drop)).toMatch(/^More time/);
});

it("is more time where something was not tried, or not all samples were looked at", () => {
  const untried = {
    name: "int8-static",
    target: "cpu",
    reason: "not tried: it takes about 9 s",
    expectedGain: { latency: 0.5, size: 0.27 },
  } as const;
  expect(advice({}, "labelled", [untried])).toBe(
    "More time: 1 candidate that may be better was not tried, above all int8-static on cpu, expected at 0.50× the time and 27 % of the download: --time-budget.",
  );
  expect(advice({ dropInterval: [-0.02, 0.02] }, "labelled", [], 300)).toMatch(
    /^More time, for more test samples: 300 of 2000 were looked at/,
  );
});

it("is no time for what is expected to be no better than what was chosen", () => {
  const untried = (name: string, latency: number, size: number) =>
    ({
      name,
      target: "cpu",
      reason: "not tried: no time",
      expectedGain: { latency, size },
    }) as const;
  const weights = untried("int8-weights", 1, 0.26);
  const dynamic = { latency: 0.98, size: 0.23 };
  const given = (...all: readonly (typeof weights)[]) =>
    advice({}, "labelled", all, 2000, [], {}, dynamic);
  expect(given(weights)).toBeNull();
  expect(given(untried("int8-weights", 0.98, 0.2))).toMatch(/above all int8-weights/);
  expect(given(weights, untried("a", 0.9, 0.2), untried("b", 0.5, 0.26))).toMatch(
    /^More time: 2 candidates .* above all b on cpu/,
  );
  const preferSize = (one: typeof weights) =>
    advice({}, "labelled", [one], 2000, [], {}, dynamic, "size");
  expect(preferSize(untried("slow and small", 1.2, 0.15))).toMatch(/above all slow and small/);
  expect(preferSize(untried("fast and large", 0.5, 0.5))).toBeNull();
});

it("compares what was chosen and what is expected with one and the same, the float model simplified", () => {
  const row = { target: "cpu", expectedGain: null } as const;
  const simplified = { latencyMs: { ratio: 0.77 }, sizeBytes: { brotli: 100 } };
  const float = { ...row, name: "float", reason: "", measurement: simplified } as never;
  const static8 = { latency: 0.92, size: 0.28 };
  const untried = { ...row, name: "int8-static", reason: "not tried: late", expectedGain: static8 };
  const chosen = { latency: 0.77, size: 1 };
  expect(advice({}, "labelled", [untried as never, float], 2000, [], {}, chosen)).toMatch(
    /above all int8-static/,
  );
});

it("is more samples where chance may do what is allowed, and labels where there are none", () => {
  expect(advice({ dropInterval: [-0.02, 0.02] })).toMatch(/^More test samples: with 2000/);
  expect(advice({}, "unlabelled")).toMatch(/^Labels would show/);
  const chosen = { latency: 1, size: 1 };
  const unread = advice({}, "unlabelled", [], 2000, [], {}, chosen, "latency", true);
  expect(unread).toMatch(/^`score` of a data module would show/);
});
