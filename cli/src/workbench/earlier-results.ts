import { cpus } from "node:os";
import { type Cache, CacheKey, type KeyPart } from "@pare/compiler";
import type { EarlierResults, EngineHost, ResultName } from "@pare/bench";
import type { TargetName } from "@pare/runtime/format";
import { hashModule } from "../data/module-hash.js";
import { instructionSets } from "./processor.js";
import type { Workbench } from "./workbench.js";

/** What results depend on besides the files that are measured. */
export interface Setting {
  readonly processor: KeyPart;
  readonly engines: Readonly<Partial<Record<TargetName, string>>>;
  readonly samples: KeyPart;
  /** Null where it cannot be told: what the user's code makes of outputs is then not kept. */
  readonly scoring: KeyPart;
}

/** @param path the data's, where there is any */
export async function settingOf(
  { data, engines, evaluation }: Workbench,
  path: string | undefined,
): Promise<Setting> {
  const { report, scorer, shapes, seed } = evaluation;
  const [cpu] = cpus();
  const own = data !== null && Object.values(data.hooks).some((hook) => hook !== undefined);
  const module = own && path !== undefined ? await hashModule(path) : null;
  const { splits } = report;
  return {
    // Processors of one name may differ in what times rest on most.
    processor: [process.arch, cpu?.model ?? "", cpus().length, ...(instructionSets() ?? [])],
    engines: Object.fromEntries(
      [...engines.hosts.values()].map(({ target, engine }) => [target, engine]),
    ),
    samples:
      splits === undefined
        ? { seed, shapes: Object.entries(shapes).map(([name, dims]) => [name, dims]) }
        : [seed, splits.calibration.sha256, splits.validation.sha256, splits.test.sha256],
    scoring:
      scorer === null || (module !== null && module.gaps.length > 0)
        ? null
        : [scorer.metric, scorer.evidence, module?.sha256 ?? null],
  };
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
        return CacheKey.of(name.kind, {
          ...name,
          engine: engines[name.target] ?? "",
          processor,
          samples,
        });
      case "latency":
        return CacheKey.of("latency", {
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
      const key = keyOf(name);
      if (key !== null) await cache.put(key, new TextEncoder().encode(JSON.stringify(value)));
    },
  };
}
