import { findFault } from "../json-schema.js";
import type { Manifest } from "./manifest.js";
import { manifestSchema } from "./manifest-schema.js";
import { currentFormat, damaged } from "./parse-runnable.js";

/**
 * A manifest, whole: for tools.
 * @throws PareError BUNDLE_VERSION for a newer format, BUNDLE_INVALID with the path of the offending field
 */
export function parseManifest(json: unknown): Manifest {
  const where = "manifest.json";
  const current = currentFormat(json, where);
  const fault = findFault(current, manifestSchema);
  if (fault !== null) throw damaged(where, `${fault.path || "it"} ${fault.problem}`);
  return current as Manifest;
}
