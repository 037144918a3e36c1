import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type BundleFile, type Manifest, PareError } from "@pare/runtime/format";

/**
 * Holds every file of a bundle that is loaded against what its manifest says of it.
 * @throws PareError INTEGRITY with those that are missing or have other bytes
 */
export async function demandIntact(
  bundle: string,
  { golden, variants }: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const all = [golden, ...variants.flatMap(({ files }) => files)];
  const files = [...new Map(all.map((file) => [file.path, file])).values()];
  const faults: string[] = [];
  for (const file of files) {
    const fault = await faultOf(join(bundle, file.path), file, signal);
    if (fault !== null) faults.push(`${file.path} ${fault}`);
  }
  if (faults.length === 0) return;
  throw new PareError(
    "INTEGRITY",
    `Of the bundle's ${files.length} files ${faults.length} are not what its manifest names: ${faults.join("; ")}.`,
    { where: bundle, hint: "Copy the bundle again, as it is, or write it again." },
  );
}

async function faultOf(
  path: string,
  { bytes, sha256 }: BundleFile,
  signal: AbortSignal,
): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return "is missing";
  if (found.size !== bytes) return `has ${found.size} bytes instead of ${bytes}`;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex") === sha256 ? null : "has other bytes";
}
