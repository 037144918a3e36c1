import { PareError } from "../error.js";
import { findFault, isRecord, type JsonSchema } from "../json-schema.js";
import { bundleFormatVersion, type Golden, type Manifest } from "./manifest.js";
import { goldenSchema, manifestSchema } from "./manifest-schema.js";

/**
 * @throws PareError BUNDLE_VERSION for a newer format, BUNDLE_INVALID with the path of the offending field
 */
export function parseManifest(json: unknown): Manifest {
  return parse(json, manifestSchema, "manifest.json") as Manifest;
}

/** @throws as parseManifest */
export function parseGolden(json: unknown): Golden {
  return parse(json, goldenSchema, "golden.json") as Golden;
}

/**
 * The text of a manifest or golden check as a bundle's files hold it, and hashes are made of. Parsing it and
 * writing it again gives the same, so what a bundler did to an embedded one does not matter.
 */
export function bundleJson(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function parse(json: unknown, schema: JsonSchema, where: string): unknown {
  const version = isRecord(json) ? json["formatVersion"] : undefined;
  if (typeof version === "number" && version > bundleFormatVersion) {
    throw new PareError(
      "BUNDLE_VERSION",
      `The bundle has format ${version}; this @pare/runtime reads up to ${bundleFormatVersion}.`,
      {
        where,
        hint: "Update @pare/runtime, or write the bundle with an older pare.",
      },
    );
  }
  const current = version === 1 ? fromFirstVersion(json) : json;
  const fault = findFault(current, schema);
  if (fault !== null) {
    throw new PareError(
      "BUNDLE_INVALID",
      `${where} is damaged: ${fault.path || "it"} ${fault.problem}.`,
      {
        where: `${where}: ${fault.path}`,
        hint: "Write the bundle again, and copy it as it is.",
      },
    );
  }
  return current;
}

/** Version 1 knew ONNX files alone, and did not say so. */
function fromFirstVersion(json: unknown): unknown {
  if (!isRecord(json) || !Array.isArray(json["variants"])) return json;
  const variants = json["variants"].map((variant: unknown) =>
    isRecord(variant) ? { format: "onnx", ...variant } : variant,
  );
  return { ...json, variants };
}
