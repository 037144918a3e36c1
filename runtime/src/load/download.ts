import { readFileUrl } from "#platform";
import { isPareError, messageOf, PareError, throwIfAborted } from "../format/error.js";

export interface DownloadOptions {
  /** Bytes that are expected; more are refused. */
  readonly bytes?: number;
  /** Where their number is not known: no more than so many, decoded, are taken. */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
  /** Bytes so far. */
  readonly onBytes?: ((received: number) => void) | undefined;
}

const attempts = 3;

/**
 * The bytes behind a URL. `data:` is decoded here, since a policy of `connect-src 'self'` refuses to fetch it;
 * `file:` is read where there is a file system. A download that breaks off is resumed where it stopped.
 * @throws PareError NETWORK, or BUNDLE_NOT_FOUND for a 404 or a missing file; INTEGRITY for more bytes than there may be;
 *   NO_MEMORY; ABORTED
 */
export async function download(url: URL, options: DownloadOptions = {}): Promise<Uint8Array> {
  throwIfAborted(options.signal);
  if (url.protocol === "data:") return decodeDataUrl(url.href);
  if (url.protocol === "file:") return readLocal(url, options);
  const sink: Sink = { bytes: room(options.bytes ?? 0, url), length: 0, resumable: false };
  for (let attempt = 1; ; attempt++) {
    try {
      await receive(url, sink, options);
      return sink.bytes.subarray(0, sink.length);
    } catch (error) {
      throwIfAborted(options.signal);
      if (isPareError(error)) throw error;
      if (attempt === attempts)
        throw new PareError("NETWORK", `The download failed: ${messageOf(error)}`, {
          where: url.href,
          cause: error,
        });
    }
  }
}

interface Sink {
  bytes: Uint8Array<ArrayBuffer>;
  length: number;
  resumable: boolean;
}

async function receive(
  url: URL,
  sink: Sink,
  { bytes, most = Infinity, signal, onBytes }: DownloadOptions,
): Promise<void> {
  if (!sink.resumable) sink.length = 0;
  const headers: Record<string, string> = sink.length > 0 ? { range: `bytes=${sink.length}-` } : {};
  const response = await fetch(url, { headers, ...(signal && { signal }) });
  if (response.status === 404 || response.status === 410) {
    throw new PareError("BUNDLE_NOT_FOUND", `The server answered ${response.status}.`, {
      where: url.href,
    });
  }
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  if (response.status !== 206) sink.length = 0;
  // A range counts stored bytes; of a compressed answer only the decoded ones are known.
  sink.resumable = !response.headers.has("content-encoding");
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (sink.length + value.length > (bytes ?? most)) {
      await reader.cancel();
      throw tooMany(bytes ?? most, url);
    }
    if (sink.length + value.length > sink.bytes.length) {
      const grown = room(2 * (sink.length + value.length), url);
      grown.set(sink.bytes.subarray(0, sink.length));
      sink.bytes = grown;
    }
    sink.bytes.set(value, sink.length);
    sink.length += value.length;
    onBytes?.(sink.length);
  }
}

/** A size is what a stranger says: there may be no room for it. */
function room(bytes: number, url: URL): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new PareError("NO_MEMORY", `There is no room for its ${bytes} bytes.`, {
      where: url.href,
      cause,
    });
  }
}

function tooMany(bytes: number, url: URL): PareError {
  return new PareError("INTEGRITY", `It has more than the ${bytes} bytes it should.`, {
    where: url.href,
  });
}

async function readLocal(
  url: URL,
  { bytes, most = Infinity, signal }: DownloadOptions,
): Promise<Uint8Array> {
  const limit = bytes ?? most;
  try {
    const found = await readFileUrl(url, limit, signal);
    if (found === null) throw tooMany(limit, url);
    return found;
  } catch (cause) {
    throwIfAborted(signal);
    throw isPareError(cause)
      ? cause
      : new PareError("BUNDLE_NOT_FOUND", `The file cannot be read: ${messageOf(cause)}`, {
          where: url.href,
          cause,
        });
  }
}

/** RFC 2397. */
export function decodeDataUrl(href: string): Uint8Array {
  const comma = href.indexOf(",");
  const body = decodeURIComponent(href.slice(comma + 1));
  const text = /;base64$/i.test(href.slice(0, comma)) ? atob(body) : body;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
