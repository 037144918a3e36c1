import { artifactFormats } from "../engine/artifact.js";
import { targetNames } from "../engine/backend.js";
import { deviceFeatures } from "../engine/requirements.js";
import type { SessionOptions } from "../engine/session-options.js";
import { PareError } from "../error.js";
import { isRecord } from "../json-schema.js";
import { dtypes } from "../tensor/dtype.js";
import { type Check, like, list, must, object, oneOf, record } from "./check.js";
import {
  type BundleFile,
  bundleFormatVersion,
  type Golden,
  goldenMaxBytes,
  type Manifest,
  type VariantEntry,
} from "./manifest.js";

/** What of a variant it takes to run it. */
export interface RunnableVariant extends Pick<
  VariantEntry,
  "id" | "target" | "format" | "requires" | "session" | "tolerance"
> {
  readonly files: readonly [BundleFile, ...BundleFile[]];
}

/** What of a manifest it takes to run a variant. */
export interface Runnable extends Pick<
  Manifest,
  "name" | "inputs" | "outputs" | "state" | "golden"
> {
  readonly variants: readonly RunnableVariant[];
}

const text = like(/^/);
const number = must("a number", Number.isFinite);
const count = whole();
const dtype = oneOf(dtypes);
const positive = must("a number from 0", (value) => Number.isFinite(value) && Number(value) >= 0);

function whole(most = Infinity): Check {
  return must(
    `a whole number from 0 to ${most}`,
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most,
  );
}

function file(path: RegExp, bytes: Check): Check {
  return object({ path: like(path), bytes, sha256: like(/^[0-9a-f]{64}$/) });
}

const value = object({
  name: text,
  type: dtype,
  dims: list(
    must(
      "a whole number, name or null",
      (dim) =>
        dim === null || typeof dim === "string" || (Number.isInteger(dim) && Number(dim) >= 0),
    ),
  ),
});

/** A closed list: see SessionOptions. */
const sessionChoices: Readonly<Record<keyof SessionOptions, readonly unknown[]>> = {
  graphOptimizationLevel: ["disabled", "basic", "extended", "all"],
  foldDequantize: [true, false],
  spinning: [true, false],
  memoryPattern: [true, false],
};

const session = must(
  `of ${Object.keys(sessionChoices).join(", ")}`,
  (options) =>
    isRecord(options) &&
    Object.entries(options).every(([key, chosen]) =>
      Object.entries(sessionChoices).some(
        ([name, choices]) => name === key && choices.includes(chosen),
      ),
    ),
);

const formatVersion = oneOf([1, bundleFormatVersion]);

const runnable = object(
  {
    formatVersion,
    name: text,
    inputs: list(value),
    outputs: list(value, 1),
    state: record(text),
    golden: file(/^golden(-[0-9a-f]{64})?\.json$/, whole(goldenMaxBytes)),
    variants: list(
      object({
        id: like(/^[\w.-]+$/),
        target: oneOf(targetNames),
        format: oneOf(artifactFormats),
        files: list(file(/^variants\/[0-9a-f]{64}\.[a-z0-9]+$/, count), 1),
        requires: object({ features: list(oneOf(deviceFeatures)), memoryBytes: count }, [
          "memoryBytes",
        ]),
        session,
        tolerance: object({ absolute: positive, relative: positive, outputs: record(positive) }, [
          "outputs",
        ]),
      }),
      1,
    ),
  },
  ["state"],
);

const golden = object({
  formatVersion,
  cases: list(
    object({
      inputs: list(
        // Values that there may be are the check's own to fail on.
        object({
          name: text,
          type: dtype,
          dims: list(count),
          seed: number,
          range: list(number, 2),
        }),
      ),
      outputs: list(
        object({
          name: text,
          type: dtype,
          dims: list(count),
          indices: list(count),
          // What is no number and no text is the check's own to fail on.
          values: object({}),
        }),
      ),
    }),
  ),
});

/**
 * A manifest as far as `load` reads it. The published schema says the same of these fields.
 * @throws PareError BUNDLE_VERSION for a newer format, BUNDLE_INVALID with the path of the offending field
 */
export function parseRunnable(json: unknown): Runnable {
  return checked(json, runnable, "manifest.json") as Runnable;
}

/** @throws as parseRunnable */
export function parseGolden(json: unknown): Golden {
  return checked(json, golden, "golden.json") as Golden;
}

function checked(json: unknown, check: Check, where: string): unknown {
  const current = currentFormat(json, where);
  const fault = check(current, "");
  if (fault !== null) throw damaged(where, fault.slice(1));
  return current;
}

export function damaged(where: string, fault: string): PareError {
  return new PareError("BUNDLE_INVALID", `${where} is damaged: ${fault}.`, {
    where,
    hint: "Copy the bundle again, as it is.",
  });
}

/**
 * Version 1 knew ONNX files alone, and did not say so.
 * @throws PareError BUNDLE_VERSION for a newer one
 */
export function currentFormat(json: unknown, where: string): unknown {
  if (!isRecord(json)) return json;
  const { formatVersion: version, variants } = json;
  if (Number(version) > bundleFormatVersion)
    throw new PareError(
      "BUNDLE_VERSION",
      `The bundle has format ${Number(version)}; this @pare/runtime reads up to ${bundleFormatVersion}.`,
      { where, hint: "Update @pare/runtime." },
    );
  if (version !== 1 || !Array.isArray(variants)) return json;
  return {
    ...json,
    variants: variants.map((each: unknown) =>
      isRecord(each) ? { format: "onnx", ...each } : each,
    ),
  };
}

/**
 * The text of a manifest or golden check as a bundle's files hold it, and hashes are made of. Parsing it and
 * writing it again gives the same, so what a bundler did to an embedded one does not matter.
 */
export function bundleJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
