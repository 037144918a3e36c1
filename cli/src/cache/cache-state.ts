import { access, constants } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "@pare/runtime/format";
import { systemCode } from "../platform/file-error.js";
import { byteText } from "../terminal/words.js";
import { refusalOf } from "./own-folder.js";
import { cacheLimit, cachePlace, type Environment } from "./place.js";
import { usage } from "./prune.js";

export interface CacheState {
  readonly ok: boolean;
  readonly found: string;
  readonly hint: string | null;
}

/** Where the cache is and what it holds, for `pare doctor`. Makes nothing, and never rejects. */
export async function cacheState(environment: Environment = process.env): Promise<CacheState> {
  try {
    const most = cacheLimit(environment);
    const folder = cachePlace(environment);
    const refusal = await refusalOf(folder);
    if (folder === null || refusal !== null) {
      const reason = refusal?.reason ?? "there is none";
      return {
        ok: false,
        found: `${folder ?? "none"}: ${reason}; nothing is kept between runs`,
        hint: refusal?.hint ?? null,
      };
    }
    const unwritable = await unwritableOf(folder);
    if (unwritable !== null)
      return {
        ok: false,
        found: `${folder}: ${unwritable}; nothing is kept between runs`,
        hint: "Set XDG_CACHE_HOME to a folder of yours.",
      };
    const { entries, bytes } = await usage(folder);
    const what = entries === 1 ? "1 entry" : `${entries} entries`;
    return {
      ok: true,
      found: `${folder}: ${what}, ${byteText(bytes)} of at most ${byteText(most)}`,
      hint: entries === 0 ? null : "To empty it, delete the folder.",
    };
  } catch (error) {
    return { ok: false, found: messageOf(error), hint: null };
  }
}

/** Why nothing can be written to a folder, or where it is to be made; null where it can. */
async function unwritableOf(folder: string): Promise<string | null> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      await access(at, constants.W_OK);
      return null;
    } catch (error) {
      if (systemCode(error) !== "ENOENT" || dirname(at) === at) return messageOf(error);
    }
  }
}
