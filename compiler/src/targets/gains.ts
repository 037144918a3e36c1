import type { TargetName } from "@pare/runtime/format";
import type { Workload } from "../analysis/workload.js";
import type { GainPlace, OperatorMix } from "./tables/gain-row.js";
import { measuredGains } from "./tables/measured-gains.js";

/** What a way to a file can be expected to come to, next to the simplified float model: ratios below 1 are gains. */
export interface Gain {
  /** Of latency. */
  readonly latency: number;
  /** Standard deviation of its logarithm: models differ. */
  readonly latencySpread: number;
  /** Of the download, after brotli. */
  readonly size: number;
  /** How often it held the accuracy. */
  readonly accepted: number;
}

export function operatorMix({
  full,
  pointwise,
  depthwise,
  matmul,
  matmulShare,
}: Workload): OperatorMix {
  if (matmulShare > 0.5) return "matrices";
  if (depthwise > 0) return "depthwise";
  if (full + pointwise > 0) return "convolutions";
  return matmul > 0 ? "matrices" : "other";
}

type Row = readonly [latency: number, size: number, accepted: number];
type ByMix = Readonly<Record<OperatorMix, Row>>;

const weights: ByMix = {
  convolutions: [1, 0.28, 0.95],
  depthwise: [0.98, 0.3, 0.95],
  matrices: [1, 0.27, 0.95],
  other: [1, 0.5, 0.9],
};
const half: ByMix = {
  convolutions: [1, 0.52, 0.99],
  depthwise: [1, 0.52, 0.99],
  matrices: [1, 0.52, 0.99],
  other: [1, 0.7, 0.99],
};

const repeats: ByMix = {
  convolutions: [0.85, 1.05, 0.99],
  depthwise: [0.9, 1.05, 0.99],
  matrices: [0.95, 1.05, 0.99],
  other: [0.9, 1.05, 0.99],
};
const repeatsOfWeights: ByMix = {
  convolutions: [0.85, 0.3, 0.95],
  depthwise: [0.9, 0.32, 0.95],
  matrices: [0.95, 0.28, 0.95],
  other: [0.9, 0.5, 0.9],
};

/**
 * What is assumed of models that nothing was measured of, by target, processor and name of the proposal: `exact` processors
 * multiply integers without saturating (x64 with VNNI, arm64), on the others integer convolutions lose. It only orders
 * what is tried.
 */
const assumed: Readonly<Record<GainPlace, Readonly<Record<string, ByMix>>>> = {
  "cpu exact": {
    "int8-weights": weights,
    "fp16-weights": half,
    "convolve-repeats": repeats,
    "convolve-repeats-int8": repeatsOfWeights,
    "int8-static": {
      convolutions: [0.8, 0.25, 0.7],
      depthwise: [0.95, 0.27, 0.4],
      matrices: [0.5, 0.27, 0.3],
      other: [1, 0.4, 0.5],
    },
    "int8-static-mse": {
      convolutions: [0.8, 0.25, 0.75],
      depthwise: [0.85, 0.27, 0.6],
      matrices: [0.5, 0.27, 0.35],
      other: [1, 0.4, 0.5],
    },
    "int8-mixed": {
      convolutions: [0.85, 0.26, 0.85],
      depthwise: [0.9, 0.28, 0.8],
      matrices: [0.55, 0.27, 0.4],
      other: [1, 0.4, 0.5],
    },
    "int8-dynamic": {
      convolutions: [0.95, 0.28, 0.9],
      depthwise: [0.85, 0.3, 0.9],
      matrices: [0.45, 0.27, 0.9],
      other: [1, 0.4, 0.8],
    },
  },
  "cpu saturating": {
    "int8-weights": weights,
    "fp16-weights": half,
    "convolve-repeats": repeats,
    "convolve-repeats-int8": repeatsOfWeights,
    "int8-static": {
      convolutions: [1.4, 0.25, 0.7],
      depthwise: [2, 0.27, 0.4],
      matrices: [0.55, 0.27, 0.3],
      other: [1, 0.4, 0.5],
    },
    "int8-static-mse": {
      convolutions: [1.3, 0.25, 0.75],
      depthwise: [1.5, 0.27, 0.6],
      matrices: [0.55, 0.27, 0.35],
      other: [1, 0.4, 0.5],
    },
    "int8-mixed": {
      convolutions: [1.25, 0.26, 0.85],
      depthwise: [1.5, 0.28, 0.8],
      matrices: [0.6, 0.27, 0.4],
      other: [1, 0.4, 0.5],
    },
    "int8-dynamic": {
      convolutions: [1, 0.28, 0.9],
      depthwise: [0.7, 0.3, 0.9],
      matrices: [0.55, 0.27, 0.9],
      other: [1, 0.4, 0.8],
    },
  },
  wasm: {
    "int8-weights": weights,
    "fp16-weights": half,
    "convolve-repeats": repeats,
    "convolve-repeats-int8": repeatsOfWeights,
    "int8-static": {
      convolutions: [0.8, 0.25, 0.75],
      depthwise: [1, 0.27, 0.5],
      matrices: [0.5, 0.27, 0.3],
      other: [1, 0.4, 0.5],
    },
    "int8-mixed": {
      convolutions: [1.1, 0.26, 0.85],
      depthwise: [1.5, 0.28, 0.8],
      matrices: [0.6, 0.27, 0.4],
      other: [1, 0.4, 0.5],
    },
    "int8-dynamic": {
      convolutions: [1, 0.28, 0.9],
      depthwise: [1, 0.3, 0.9],
      matrices: [0.65, 0.27, 0.9],
      other: [1, 0.4, 0.8],
    },
  },
  aot: {
    "int8-weights": weights,
    "fp16-weights": half,
    "convolve-repeats": repeats,
    "convolve-repeats-int8": repeatsOfWeights,
    "int8-dynamic": {
      convolutions: [1, 0.28, 0.9],
      depthwise: [1, 0.3, 0.9],
      matrices: [0.65, 0.27, 0.9],
      other: [1, 0.5, 0.8],
    },
    "int8-static": {
      convolutions: [0.4, 0.27, 0.75],
      depthwise: [0.5, 0.28, 0.6],
      matrices: [0.6, 0.28, 0.5],
      other: [1, 0.5, 0.5],
    },
    "int8-mixed": {
      convolutions: [0.55, 0.3, 0.85],
      depthwise: [0.6, 0.3, 0.8],
      matrices: [0.7, 0.3, 0.5],
      other: [1, 0.5, 0.5],
    },
  },
  webgpu: {
    fp16: {
      convolutions: [0.7, 0.52, 0.95],
      depthwise: [0.8, 0.52, 0.95],
      matrices: [0.6, 0.52, 0.95],
      other: [0.9, 0.6, 0.9],
    },
    "int8-weights": weights,
    "fp16-weights": half,
  },
};

/** Weights are decoded when a model is loaded: what runs then is the float model. */
const decodedAtLoad = ["int8-weights", "fp16-weights"];
const assumedSpread = { decoded: 0.03, computed: 0.3 };
/** What is assumed counts as one model; of what is accepted, as two. */
const assumedAccepted = 2;

/**
 * What was assumed and what models with as much of the same work showed: means of logarithms, shares of what was accepted.
 * Undefined for what no table knows: a recipe's own steps.
 */
export function expectedGain(
  target: TargetName,
  name: string,
  mix: OperatorMix,
  saturates: boolean,
): Gain | undefined {
  const place = placeOf(target, saturates);
  const row = place && assumed[place][name]?.[mix];
  if (row === undefined) return undefined;
  const [latency, size, accepted] = row;
  const seen = measuredGains.filter(
    ([itsPlace, itsName, itsMix]) => itsPlace === place && itsName === name && itsMix === mix,
  );
  const known = seen.flatMap(([, , , , , , held]) => held ?? []);
  const held = known.filter((one) => one).length;
  const spread = decodedAtLoad.includes(name) ? assumedSpread.decoded : assumedSpread.computed;
  const latencies = [latency, ...seen.map(([, , , , ratio]) => ratio)].map(Math.log);
  const center = mean(latencies);
  const variance =
    (spread ** 2 + latencies.reduce((sum, each) => sum + (each - center) ** 2, 0)) /
    latencies.length;
  return {
    latency: Math.exp(center),
    latencySpread: Math.sqrt(variance),
    size: Math.exp(mean([size, ...seen.map(([, , , , , ratio]) => ratio)].map(Math.log))),
    accepted: (assumedAccepted * accepted + held) / (assumedAccepted + known.length),
  };
}

function placeOf(target: TargetName, saturates: boolean): GainPlace | undefined {
  switch (target) {
    case "cpu":
      return saturates ? "cpu saturating" : "cpu exact";
    case "wasm":
    case "webgpu":
    case "aot":
      return target;
    default:
      return undefined;
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}
