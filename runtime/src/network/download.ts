import { readFileUrl } from "#platform";
import type { Fetch } from "../format/engine/backend.js";
import { untilAborted } from "../format/until-aborted.js";
import {
  type ErrorCode,
  isPareError,
  messageOf,
  PareError,
  throwIfAborted,
} from "../format/error.js";

export interface DownloadOptions {
  /** Bytes that are expected; more are refused. */
  readonly bytes?: number;
  /** Where their number is not known: no more than so many, decoded, are taken. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far, how many there will be where the server says, and the last of them. */
  readonly onBytes?:
    | ((received: number, total: number | undefined, chunk: Uint8Array) => void)
    | undefined;
  readonly fetch?: Fetch | undefined;
}

const attempts = 3;
/** Of a request that was too slow, or one of too many; and of a range that is no more. */
const mayPass = [408, 416, 429];
/** Without a byte. */
const stallMs = 30_000;

/**
 * The bytes behind a URL. `data:` is decoded here, since a policy of `connect-src 'self'` refuses to fetch it;
 * `file:` is read where there is a file system. A download that breaks off is resumed where it stopped; one of which no
 * byte comes for 30 s is given up. It is tried three times, with a pause in between, unless the server refuses it.
 * @throws PareError NETWORK, or BUNDLE_NOT_FOUND for a 404 or a missing file; INTEGRITY for more bytes than there may be;
 *   NO_MEMORY; ABORTED
 */
export async function download(
  url: URL,
  { bytes, most = bytes ?? Infinity, ...options }: DownloadOptions = {},
): Promise<Uint8Array> {
  const { signal } = options;
  throwIfAborted(signal);
  if (url.protocol === "data:") return decodeDataUrl(url.href);
  if (url.protocol === "file:") {
    const found = await readFileUrl(url, most, signal);
    if (found === null) throw tooMany(most, url);
    return found;
  }
  const sink: Sink = { bytes: room(bytes ?? 0, url), length: 0, resumable: false, waitMs: 0 };
  for (let attempt = 1; ; attempt++) {
    sink.waitMs = 0;
    try {
      await receive(url, sink, { most, ...options });
      break;
    } catch (error) {
      throwIfAborted(signal);
      if (isPareError(error)) throw error;
      // Of what is behind the last byte, where only the end did not come, a server gives no range.
      if (sink.length === bytes) break;
      if (attempt === attempts || error instanceof Refused)
        throw failure("NETWORK", `The download failed: ${messageOf(error)}`, url, error);
      await pause(Math.max(300 * 3 ** (attempt - 1), sink.waitMs), signal);
    }
  }
  return sink.bytes.subarray(0, sink.length);
}

interface Sink {
  bytes: Uint8Array<ArrayBuffer>;
  length: number;
  resumable: boolean;
  /** For so long the server wants to be left alone. */
  waitMs: number;
}

/** The server would refuse it again. */
class Refused extends Error {}

/** @throws PareError ABORTED */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
  throwIfAborted(signal);
}

/**
 * Takes what comes; an abort, and a network that stalls, ends it at once, whatever `fetch` makes of its signal. What came whole is
 * not aborted: who gave `fetch` may still be storing a copy of it.
 */
async function receive(url: URL, sink: Sink, options: DownloadOptions): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const received = new Promise<void>((resolve, reject) => {
      const alive = (): void => {
        clearTimeout(timer);
        const stalled = `The download stalled for ${stallMs / 1000} s.`;
        timer = setTimeout(() => reject(failure("NETWORK", stalled, url)), stallMs);
      };
      alive();
      transfer(url, sink, { ...options, signal }, alive).then(resolve, reject);
    });
    await untilAborted(options.signal, received);
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function transfer(
  url: URL,
  sink: Sink,
  {
    most = Infinity,
    signal,
    onBytes,
    fetch = globalThis.fetch,
  }: DownloadOptions & { readonly signal: AbortSignal },
  alive: () => void,
): Promise<void> {
  if (!sink.resumable) sink.length = 0;
  const headers: Record<string, string> = sink.length > 0 ? { range: `bytes=${sink.length}-` } : {};
  const response = await fetch(url.href, { headers, signal });
  const { status } = response;
  if (status === 404 || status === 410)
    throw new PareError("BUNDLE_NOT_FOUND", `The server answered ${status} for ${url.pathname}.`, {
      where: url.href,
      hint: "Are the bundle's files there? Where a bundler copies none of them, they belong among the static files.",
    });
  // What has no such range is another file than the one that broke off.
  if (status === 416) sink.length = 0;
  // In seconds; who writes a date gets the usual pause.
  sink.waitMs = Math.min(Number(response.headers.get("retry-after")) || 0, 10) * 1000;
  if (!response.ok) {
    const why = `the server answered ${status}`;
    throw mayPass.includes(status) || status >= 500 ? new Error(why) : new Refused(why);
  }
  if (status !== 206) sink.length = 0;
  // A range counts stored bytes; of a compressed answer only the decoded ones are known.
  sink.resumable = !response.headers.has("content-encoding");
  const rest = Number(response.headers.get("content-length"));
  const total = sink.resumable && rest > 0 ? sink.length + rest : undefined;
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    // A `fetch` that does not look at its signal goes on, and nobody waits for it.
    if (done || signal.aborted) return;
    alive();
    const length = sink.length + value.length;
    if (length > most) throw tooMany(most, url);
    if (length > sink.bytes.length) {
      const grown = room(2 * length, url);
      grown.set(sink.bytes.subarray(0, sink.length));
      sink.bytes = grown;
    }
    sink.bytes.set(value, sink.length);
    sink.length = length;
    onBytes?.(length, total, value);
  }
}

/** A size is what a stranger says: there may be no room for it. */
function room(bytes: number, url: URL): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw failure("NO_MEMORY", `There is no room for its ${bytes} bytes.`, url, cause);
  }
}

function tooMany(bytes: number, url: URL): PareError {
  return failure("INTEGRITY", `It has more than the ${bytes} bytes it should.`, url);
}

function failure(code: ErrorCode, message: string, { href }: URL, cause?: unknown): PareError {
  return new PareError(code, message, { where: href, cause });
}

/** RFC 2397. */
function decodeDataUrl(href: string): Uint8Array {
  const comma = href.indexOf(",");
  const body = decodeURIComponent(href.slice(comma + 1));
  const text = /;base64$/i.test(href.slice(0, comma)) ? atob(body) : body;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
