import { cpus } from "node:os";
import { type Cache, CacheKey, type KeyPart, noCache } from "@pare/compiler";
import type { EarlierResults, EngineHost, ResultName } from "@pare/bench";
import { sha256Sync, type TargetName } from "@pare/runtime/format";
import { mostPayloadBytes } from "../cache/entry.js";
import type { OpenData } from "../data/open-data.js";
import { hashData, type ModuleHash } from "../data/module-hash.js";
import type { Engines } from "./engines.js";
import type { Evaluation } from "./evaluation.js";
import { instructionSets } from "./processor.js";

/** What results depend on besides the files that are measured. */
export interface Setting {
  readonly processor: KeyPart;
  readonly engines: Readonly<Partial<Record<TargetName, string>>>;
  readonly samples: KeyPart;
  /** Null where it cannot be told: what the user's code makes of outputs is then not kept. */
  readonly scoring: KeyPart;
}

/** Of a workbench, what tells the setting. */
interface Measured {
  readonly data: Pick<OpenData, "hooks"> | null;
  readonly engines: Pick<Engines, "hosts">;
  readonly evaluation: Pick<
    Evaluation,
    "report" | "scorer" | "shapes" | "sizes" | "seed" | "splits"
  >;
}

/**
 * @param path the data's, where there is any
 * @param before its hash, of before it was opened: where it is another now, nobody knows which was loaded
 */
export async function settingOf(
  { data, engines, evaluation }: Measured,
  path: string | undefined,
  before: ModuleHash | null,
): Promise<Setting> {
  const { report, scorer, shapes, sizes, seed } = evaluation;
  const [cpu] = cpus();
  const own = data !== null && Object.values(data.hooks).some((hook) => hook !== undefined);
  const module = own ? await hashData(path) : null;
  const isKnown = !own || (module?.gaps.length === 0 && module.sha256 === before?.sha256);
  const { splits } = report;
  return {
    // Processors of one name may differ in what times rest on most.
    processor: [process.arch, cpu?.model ?? "", cpus().length, ...(instructionSets() ?? [])],
    engines: Object.fromEntries(
      [...engines.hosts.values()].map(({ target, engine }) => [target, engine]),
    ),
    samples:
      splits === undefined
        ? {
            seed,
            shapes: Object.entries(shapes),
            sizes: Object.entries(sizes),
            ...(scorer !== null && { places: placesOf(evaluation) }),
          }
        : [
            seed,
            splits.calibration.sha256,
            splits.validation.sha256,
            splits.test.sha256,
            placesOf(evaluation),
          ],
    scoring:
      scorer === null || !isKnown ? null : [scorer.metric, scorer.evidence, module?.sha256 ?? null],
  };
}

/** Predictions are kept by index, and a sample that is in no split moves those after it. */
function placesOf({
  splits: { calibration, validation, test },
}: Pick<Evaluation, "splits">): string {
  const text = JSON.stringify([calibration, validation, test]);
  return sha256Sync(new TextEncoder().encode(text));
}

/** What the statistics of calibration depend on besides the computations. */
export function calibrationSetting(
  { processor, samples }: Setting,
  { engine }: EngineHost,
): KeyPart {
  return { processor, samples, engine };
}

/** Results of earlier runs in the same setting. */
export function earlierResults(cache: Cache, setting: Setting): EarlierResults {
  const keyOf = (name: ResultName): CacheKey | null => {
    const { processor, engines, samples, scoring } = setting;
    switch (name.kind) {
      case "size":
        return CacheKey.of("size", { ...name, brotli: process.versions["brotli"] ?? "" });
      case "try-out":
      case "shared":
      case "cold-start":
        return CacheKey.of(name.kind, {
          ...name,
          engine: engines[name.target] ?? "",
          processor,
          samples,
        });
      case "latency":
      case "blocks":
        return CacheKey.of(name.kind, {
          ...name,
          limits: { ...name.limits },
          engine: engines[name.target] ?? "",
          processor,
          samples,
        });
      case "parity":
        return CacheKey.of("parity", {
          ...name,
          referenceEngine:
            typeof name.reference === "string" ? null : (engines[name.reference.target] ?? ""),
          engine: engines[name.target] ?? "",
          processor,
          samples,
        });
      case "predictions": {
        if (scoring === null) return null;
        const { against } = name;
        return CacheKey.of("predictions", {
          ...name,
          against: against && { ...against, engine: engines[against.target] ?? "" },
          engine: engines[name.target] ?? "",
          processor,
          samples,
          scoring,
        });
      }
      default:
        return name satisfies never;
    }
  };
  const tooLong = new Set<string>();
  return {
    async get(name) {
      const key = keyOf(name);
      const bytes = key === null ? undefined : await cache.get(key);
      if (bytes === undefined) return undefined;
      try {
        return JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return undefined;
      }
    },
    async put(name, value) {
      const key = cache === noCache ? null : keyOf(name);
      // Predictions only become more.
      if (key === null || tooLong.has(key.hash)) return;
      const text = textOf(value);
      if (text === null) tooLong.add(key.hash);
      else await cache.put(key, new TextEncoder().encode(text));
    },
  };
}

/** Null for what is too long to be kept, or even to be a text. */
function textOf(value: unknown): string | null {
  try {
    const text = JSON.stringify(value);
    return text.length > mostPayloadBytes ? null : text;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
