import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { judgedBy, metricValue } from "@pare/bench";
import {
  findFault,
  isAllowedDrop,
  type JsonSchema,
  messageOf,
  PareError,
  type ReportCheck,
  type ReportRow,
  type TargetName,
} from "@pare/runtime/format";
import { byteText, millisecondText } from "../terminal/words.js";
import { fileError, systemCode } from "../platform/file-error.js";
import { bytes, milliseconds } from "../terminal/option-values.js";

/** What a model may cost on a target; what is absent is not limited. */
export interface TargetBudget {
  readonly maxDrop?: number | undefined;
  /** Of the variant's files, uncompressed. */
  readonly maxSizeBytes?: number | undefined;
  readonly maxLatencyMs?: number | undefined;
}

export const configName = "pare.config.json";

const limits = {
  maxDrop: {
    type: "number",
    minimum: 0,
    description: "How far the metric may drop, in its own unit.",
  },
  maxSize: {
    type: ["string", "number"],
    description: "What the variant's files may take, uncompressed: 500kB, 2MB, or bytes.",
  },
  maxLatency: {
    type: ["string", "number"],
    description: "The longest median latency: 8ms, or milliseconds.",
  },
} as const;

/** Published as pare.config.schema.json. */
export const configSchema: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Budgets of models, by path or name",
  type: "object",
  properties: {
    $schema: { type: "string" },
    models: {
      type: "object",
      additionalProperties: {
        type: "object",
        properties: {
          ...limits,
          targets: {
            type: "object",
            properties: Object.fromEntries(
              ["aot", "wasm", "webgpu", "cpu", "webnn"].map((target) => [
                target,
                { type: "object", properties: limits, additionalProperties: false },
              ]),
            ),
            additionalProperties: false,
          },
        },
        additionalProperties: false,
      },
    },
  },
  required: ["models"],
  additionalProperties: false,
};

interface Limits {
  readonly maxDrop?: number;
  readonly maxSize?: string | number;
  readonly maxLatency?: string | number;
}

interface Config {
  readonly models: Readonly<
    Record<string, Limits & { readonly targets?: Readonly<Partial<Record<TargetName, Limits>>> }>
  >;
}

/** What is said of budgets that hold nothing. */
export interface BudgetNotes {
  /** Whether there is an accuracy, of which a drop can be told. */
  readonly hasAccuracy: boolean;
  readonly note: (text: string) => void;
}

/**
 * The budgets of a model: from the command line, or else from the first pare.config.json, of the current folder and of the
 * model's, that names it: by its path (from the file's folder), or where none does, by its name with or without the ending.
 * @throws PareError ARGUMENT with the path of a wrong field
 */
export async function loadBudgets(
  model: string,
  name: string,
  flags: TargetBudget,
  { hasAccuracy, note }: BudgetNotes,
): Promise<(target: TargetName | null) => TargetBudget> {
  const { path, entry, others } = await entryOf(model, name);
  if (others !== null)
    note(
      `${path} has no budget for ${basename(model)}: it names ${others.map((one) => JSON.stringify(one)).join(", ") || "no model"}.`,
    );
  const drops = [entry, ...Object.values(entry.targets ?? {})].map(({ maxDrop }) => maxDrop);
  if (!hasAccuracy && drops.some((drop) => drop !== undefined))
    note(`The maxDrop of ${path} is not checked: without --data there is no accuracy.`);
  const general = parse(entry, path);
  // Now, what is wrong with any of them: not once all is measured.
  const own = new Map(
    Object.entries(entry.targets ?? {}).map(
      ([target, special]) => [target, parse(special, path)] as const,
    ),
  );
  return (target) => {
    const special = target === null ? undefined : own.get(target);
    return {
      maxDrop: flags.maxDrop ?? special?.maxDrop ?? general.maxDrop,
      maxSizeBytes: flags.maxSizeBytes ?? special?.maxSizeBytes ?? general.maxSizeBytes,
      maxLatencyMs: flags.maxLatencyMs ?? special?.maxLatencyMs ?? general.maxLatencyMs,
    };
  };
}

async function entryOf(
  model: string,
  name: string,
): Promise<{
  readonly path: string;
  readonly entry: Config["models"][string];
  /** The models that a file names where it does not name this one; null where it does, or there is none. */
  readonly others: readonly string[] | null;
}> {
  const here = resolve(configName);
  const read: { readonly path: string; readonly models: Config["models"] }[] = [];
  for (const path of new Set([here, resolve(dirname(model), configName)])) {
    const config = await readConfig(path);
    if (config !== null) read.push({ path, models: config.models });
  }
  for (const { path, models } of read) {
    const keys = Object.keys(models);
    // Several models have one name, and only one of them has a path.
    const key =
      keys.find((one) => resolve(dirname(path), one) === resolve(model)) ??
      keys.find((one) => one === name || one === basename(model));
    const entry = key === undefined ? undefined : models[key];
    if (entry !== undefined) return { path, entry, others: null };
  }
  const [first] = read;
  if (first === undefined) return { path: here, entry: {}, others: null };
  return { path: first.path, entry: {}, others: Object.keys(first.models) };
}

function parse({ maxDrop, maxSize, maxLatency }: Limits, path: string): TargetBudget {
  return {
    maxDrop,
    maxSizeBytes: maxSize === undefined ? undefined : bytes(`${path}: maxSize`)(String(maxSize)),
    maxLatencyMs:
      maxLatency === undefined
        ? undefined
        : milliseconds(`${path}: maxLatency`, "ms")(String(maxLatency)),
  };
}

async function readConfig(path: string): Promise<Config | null> {
  let text: string;
  try {
    // A byte order mark, which some editors write, is none of it.
    text = new TextDecoder().decode(await readFile(path));
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return null;
    throw fileError(cause, path, "ARGUMENT");
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PareError("ARGUMENT", `${path} is not JSON: ${messageOf(cause)}.`, {
      where: path,
      cause,
    });
  }
  const fault = findFault(json, configSchema);
  if (fault === null && isConfig(json)) return json;
  const problem =
    fault?.problem.replace(/^must be one of $/, "is not a field that there is") ?? "is no config";
  throw new PareError("ARGUMENT", `${path} is wrong: ${fault?.path || "it"} ${problem}.`, {
    where: `${path}: ${fault?.path ?? ""}`,
    hint: `It holds \`models\`, by path or name; of each ${Object.keys(limits).join(", ")}, and for one target the same in \`targets\`.`,
  });
}

function isConfig(value: unknown): value is Config {
  return typeof value === "object" && value !== null && "models" in value;
}

/** What was measured against what was allowed: one check per limit. */
export function budgetChecks(row: ReportRow, budget: TargetBudget): readonly ReportCheck[] {
  const { target, name, accuracy, sizeBytes, latencyMs } = row;
  const check = (
    what: ReportCheck["what"],
    outcome: ReportCheck["outcome"],
    reason: string,
  ): ReportCheck => ({ target, name, what, outcome, reason });
  const checks: ReportCheck[] = [];
  const { maxDrop, maxSizeBytes, maxLatencyMs } = budget;
  if (maxSizeBytes !== undefined) {
    checks.push(
      check(
        "size",
        sizeBytes.raw <= maxSizeBytes ? "passed" : "missed",
        `${byteText(sizeBytes.raw)}, at most ${byteText(maxSizeBytes)} allowed.`,
      ),
    );
  }
  if (maxLatencyMs !== undefined) {
    checks.push(
      "unmeasured" in latencyMs
        ? check("latency", "inconclusive", `Not timed: ${latencyMs.unmeasured}`)
        : check(
            "latency",
            latencyMs.p50 <= maxLatencyMs ? "passed" : "missed",
            `Median ${millisecondText(latencyMs.p50)}, at most ${maxLatencyMs} ms allowed.`,
          ),
    );
  }
  if (maxDrop !== undefined && accuracy !== null && accuracy.drop !== null) {
    const interval =
      accuracy.dropInterval === null
        ? ""
        : ` [${accuracy.dropInterval.map((bound) => metricValue(bound, accuracy.value)).join(", ")}]`;
    checks.push(
      check(
        judgedBy({ variants: [row] }),
        isAllowedDrop(accuracy.drop, maxDrop) ? "passed" : "missed",
        `${accuracy.metric} ${accuracy.direction === "higher" ? "drops" : "rises"} by ${metricValue(accuracy.drop, accuracy.value)}${interval}, at most ${maxDrop} allowed.`,
      ),
    );
  }
  return checks;
}
