import { type Cache, noCache } from "@pare/compiler";
import { messageOf } from "@pare/runtime/format";
import { bytes } from "../terminal/option-values.js";
import { byteText } from "../terminal/words.js";
import { codeIdentity } from "./code-identity.js";
import { DiskCache } from "./disk-cache.js";
import { claimFolder, type Refusal, refusalOf } from "./own-folder.js";
import { cachePlace, type Environment } from "./place.js";
import { usage } from "./prune.js";

export interface CacheOptions {
  /** What `--no-cache` makes false. Default true. */
  readonly cache?: boolean;
  /** Told why results are not kept, where they are not. */
  readonly onNote?: (line: string) => void;
  /** Where XDG_CACHE_HOME and PARE_CACHE_SIZE are looked up. Default: the process's. */
  readonly environment?: Environment;
}

const defaultBytes = 2e9;

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
  const mostBytes = sizeLimit(environment);
  const folder = cachePlace(environment);
  try {
    const refusal = folder === null ? homeless : await claimFolder(folder);
    if (folder !== null && refusal === null)
      return new DiskCache({ folder, mostBytes, identity: await codeIdentity(), onNote });
    const { reason, hint } = refusal ?? homeless;
    onNote(`There is no cache${folder === null ? "" : ` ${folder}`}: ${reason}. ${hint}`);
  } catch (error) {
    onNote(`There is no cache ${folder}: ${messageOf(error)}. With --no-cache none is looked for.`);
  }
  return noCache;
}

const homeless: Refusal = {
  reason: "this user has no home folder",
  hint: "Set XDG_CACHE_HOME to a folder of yours.",
};

function sizeLimit(environment: Environment): number {
  const text = environment["PARE_CACHE_SIZE"] ?? "";
  return text === "" ? defaultBytes : bytes("PARE_CACHE_SIZE")(text);
}

/** For `pare doctor`. */
export interface CacheState {
  readonly ok: boolean;
  readonly found: string;
  readonly hint: string | null;
}

/** Where the cache is and what it holds; makes nothing, and never rejects. */
export async function cacheState(environment: Environment = process.env): Promise<CacheState> {
  try {
    const most = sizeLimit(environment);
    const folder = cachePlace(environment);
    const refusal = folder === null ? homeless : await refusalOf(folder);
    if (folder === null || refusal !== null) {
      const { reason, hint } = refusal ?? homeless;
      return { ok: false, found: `${folder ?? "none"}: ${reason}`, hint };
    }
    const { entries, bytes: used } = await usage(folder);
    const what = entries === 1 ? "1 entry" : `${entries} entries`;
    return {
      ok: true,
      found: `${folder}: ${what}, ${byteText(used)} of at most ${byteText(most)}`,
      hint: entries === 0 ? null : "To empty it, delete the folder.",
    };
  } catch (error) {
    return { ok: false, found: messageOf(error), hint: null };
  }
}
