import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  findFault,
  type JsonSchema,
  type Manifest,
  messageOf,
  parseManifest,
  PareError,
  type Report,
} from "@pare/runtime/format";
import { fileError } from "./file-error.js";

/** Is this a folder with a manifest? */
export async function isBundle(path: string): Promise<boolean> {
  return stat(join(path, "manifest.json")).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** @throws PareError BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_VERSION */
export async function readManifest(bundle: string): Promise<Manifest> {
  return parseManifest(await readJson(join(bundle, "manifest.json")));
}

/** The report beside the manifest; null where it was not copied along. */
export async function readReport(bundle: string): Promise<Report | null> {
  const path = join(bundle, "report.json");
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  if (!there) return null;
  const report = await readJson(path);
  const fault = findFault(report, readSchema);
  if (fault !== null || !isReport(report))
    throw new PareError(
      "BUNDLE_INVALID",
      `${path} is no report: ${fault?.path || "it"} ${fault?.problem ?? "is none"}.`,
      { where: path, hint: "Write the bundle again." },
    );
  return report;
}

const text: JsonSchema = { type: "string" };
const listOf = (...fields: readonly string[]): JsonSchema => ({
  type: "array",
  items: {
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field, text])),
    required: fields,
  },
});

/** What is read of a report. */
const readSchema: JsonSchema = {
  type: "object",
  properties: {
    formatVersion: { type: "number" },
    variants: { type: "array" },
    steps: listOf("target", "name", "verdict", "reason"),
    why: listOf("target", "node", "what", "op", "rule", "reason"),
  },
  required: ["formatVersion", "variants", "steps", "why"],
};

/** By what is read of it: its schema has been asked. */
function isReport(value: unknown): value is Report {
  return typeof value === "object" && value !== null;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw fileError(cause, path, "BUNDLE_NOT_FOUND");
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    const page = /^\s*</.test(text);
    throw new PareError(
      "BUNDLE_INVALID",
      page ? `${path} holds HTML, not JSON.` : `${path} is not JSON: ${messageOf(cause)}.`,
      {
        where: path,
        hint: "Write the bundle again, and copy it as it is.",
        cause,
      },
    );
  }
}
