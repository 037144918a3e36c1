import type { CacheKey, KeyPart } from "./cache-key.js";

/**
 * Results by key, kept between runs. Entries may vanish at any time, and one that is there may hold anything: its
 * reader checks it. Neither method rejects: what cannot be read is absent, what cannot be kept is not.
 */
export interface Cache {
  /** The bytes, which are the caller's. */
  get(key: CacheKey): Promise<Uint8Array | undefined>;
  /** The bytes may not change until this is done. */
  put(key: CacheKey, bytes: Uint8Array): Promise<void>;
}

/** Where results of one kind of work are kept, and all that they depend on besides what each is of. */
export interface Kept {
  readonly cache: Cache;
  readonly setting: KeyPart;
}

/** Always empty. */
export const noCache: Cache = {
  async get() {
    return undefined;
  },
  async put() {},
};

/** Keeps all it is given, as long as it is itself kept: for a browser tab, and for tests. */
export function memoryCache(): Cache {
  const entries = new Map<string, Uint8Array>();
  return {
    async get(key) {
      return entries.get(key.hash)?.slice();
    },
    async put(key, bytes) {
      entries.set(key.hash, bytes.slice());
    },
  };
}
