import { type Cache, noCache } from "@pare/compiler";
import { messageOf } from "@pare/runtime/format";
import { codeIdentity } from "./code-identity.js";
import { DiskCache } from "./disk-cache.js";
import { claimFolder } from "./own-folder.js";
import { cacheLimit, cachePlace, type Environment } from "./place.js";

export interface CacheOptions {
  /** What `--no-cache` makes false. Default true. */
  readonly cache?: boolean;
  /** Told why results are not kept, where they are not. */
  readonly onNote?: (line: string) => void;
  /** Where XDG_CACHE_HOME, LOCALAPPDATA and PARE_CACHE_SIZE are looked up. Default: the process's. */
  readonly environment?: Environment;
}

/**
 * The user's cache; one that is always empty where it is turned off or its folder will not do.
 * @throws PareError ARGUMENT when PARE_CACHE_SIZE is no size
 */
export async function openCache({
  cache = true,
  onNote = () => {},
  environment = process.env,
}: CacheOptions): Promise<Cache> {
  if (!cache) return noCache;
  const mostBytes = cacheLimit(environment);
  const folder = cachePlace(environment);
  const named = folder === null ? "" : ` ${folder}`;
  try {
    const refusal = await claimFolder(folder);
    if (folder !== null && refusal === null)
      return new DiskCache({ folder, mostBytes, identity: await codeIdentity(), onNote });
    onNote(`There is no cache${named}: ${refusal?.reason}. ${refusal?.hint}`);
  } catch (error) {
    onNote(`There is no cache${named}: ${messageOf(error)}. With --no-cache none is looked for.`);
  }
  return noCache;
}
