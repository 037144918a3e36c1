import {
  type Accuracy,
  type Artifact,
  artifactBytes,
  type LatencyLimits,
  type LatencyRatio,
  type Measure,
  type PareError,
  type TargetName,
} from "@pare/runtime/format";

/** What a file is said to be. The files themselves are real. */
export interface Said {
  /** Of the time of the model as its user has it. */
  readonly ratio?: number;
  readonly drop?: number;
  readonly testDrop?: number;
  /** Half of the relative width of what is known of the ratio. */
  readonly spread?: number;
}

export interface Asked {
  readonly what: "tryOut" | "shareSamples" | "accuracy" | "parity" | "latency" | "coldStart";
  readonly target: TargetName;
  readonly artifacts: readonly Artifact[];
  readonly split?: string;
  readonly count?: number;
  readonly limits?: LatencyLimits;
}

export interface Simulated extends Measure {
  readonly asked: Asked[];
  /** Milliseconds that all that was asked has taken. */
  readonly spentMs: number;
}

interface Costs {
  readonly sampleMs?: number;
  readonly runMs?: number;
}

/** Says of each file what `say` says of it; takes the time that it would take, without waiting for it. */
export function simulatedMeasure(
  say: (artifact: Artifact, target: TargetName) => Said | PareError,
  samples: Readonly<Record<"calibration" | "validation" | "test", number>> = {
    calibration: 4,
    validation: 400,
    test: 2000,
  },
  { sampleMs = 1, runMs = 1 }: Costs = {},
): Simulated {
  const asked: Asked[] = [];
  let spentMs = 0;
  const said = (artifact: Artifact, target: TargetName): Said => {
    const found = say(artifact, target);
    if (found instanceof Error) throw found;
    return found;
  };
  const ask = (one: Asked, ms: number): void => {
    asked.push(one);
    spentMs += ms;
  };
  return {
    asked,
    get spentMs() {
      return spentMs;
    },
    isMean: true,
    samples: (split) => samples[split],
    sampleMs: async () => sampleMs,
    async size(artifact) {
      const raw = artifactBytes(artifact);
      return { raw, gzip: raw, brotli: raw };
    },
    async tryOut({ artifact, target }) {
      const { ratio = 1 } = said(artifact, target);
      ask({ what: "tryOut", target, artifacts: [artifact] }, 20);
      return { loadMs: 10, runMs: runMs * ratio };
    },
    async accuracy({ artifact, target, float, split, count, confidence = 0.95 }) {
      const { drop = 0, testDrop = drop } = said(artifact, target);
      const n = Math.min(count, samples[split]);
      ask({ what: "accuracy", target, artifacts: [artifact], split, count: n }, n * sampleMs);
      if (n === 0) return null;
      const lost = split === "test" ? testDrop : drop;
      const z = confidence > 0.99 ? 3 : 1.96;
      const half = z * Math.sqrt(Math.max(0.01, Math.abs(lost)) / n);
      const accuracy: Accuracy = {
        metric: "top1",
        direction: "higher",
        value: 0.98 - lost,
        interval: [0.9, 1],
        n,
        drop: float === undefined ? null : lost,
        dropInterval: float === undefined ? null : [lost - half, lost + half],
        flips: null,
        measuredOn: target,
      };
      return accuracy;
    },
    knows: async () => false,
    async parity({ artifact, target, count }) {
      ask({ what: "parity", target, artifacts: [artifact], count }, count);
      return { n: count, maxError: 1e-6, flips: 0 };
    },
    async latency({ artifacts, target, limits }) {
      ask({ what: "latency", target, artifacts, limits }, 500 * artifacts.length);
      const known = artifacts.map((artifact) => said(artifact, target));
      const between = known.map((a) =>
        known.map((b): LatencyRatio => {
          const ratio = (b.ratio ?? 1) / (a.ratio ?? 1);
          const spread = Math.hypot(a.spread ?? 0.003, b.spread ?? 0.003);
          return { ratio, interval: [ratio * (1 - spread), ratio * (1 + spread)] };
        }),
      );
      return {
        between,
        latencies: known.map(({ ratio = 1 }, index) => ({
          p50: runMs * ratio,
          p90: runMs * ratio,
          p99: null,
          n: 100,
          method: "said",
          ratio: index === 0 ? null : (between[0]?.[index]?.ratio ?? null),
          ratioInterval: index === 0 ? null : (between[0]?.[index]?.interval ?? null),
        })),
      };
    },
    earlierLatency: async () => null,
    async shareSamples({ artifact, target }) {
      ask({ what: "shareSamples", target, artifacts: [artifact] }, 1000);
      return 1;
    },
    async coldStart({ artifact, target }) {
      ask({ what: "coldStart", target, artifacts: [artifact] }, 300);
      return { startupMs: 20, memoryBytes: 1e7 };
    },
  };
}
