import type { CacheKey } from "../../pipeline/cache-key.js";
import type { Cache } from "../../pipeline/services.js";

/** What `keepJson` kept under a key; undefined where nothing is, or something else: what a cache holds may be anything. */
export async function keptJson<Value>(
  cache: Cache,
  key: CacheKey,
  isRight: (value: unknown) => value is Value,
): Promise<Value | undefined> {
  const bytes = await cache.get(key);
  if (bytes === undefined) return undefined;
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isRight(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** @param value JSON */
export async function keepJson(cache: Cache, key: CacheKey, value: object): Promise<void> {
  await cache.put(key, new TextEncoder().encode(JSON.stringify(value)));
}
