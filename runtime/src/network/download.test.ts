import { getEventListeners } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { download } from "./download.js";

let server: Server;
let url: URL;
/** How many bytes come before nothing more does. */
let before = 0;
beforeEach(async () => {
  server = createServer((_, response) => {
    if (before === 0) return;
    response.writeHead(200, { "content-length": 100 });
    response.write(new Uint8Array(before));
    if (before === 100) response.end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
});

/**
 * Thirty seconds pass in three tenths of one; nothing else is hastened, nor waits before the last, on a machine that may be
 * busy.
 */
function hasten(last = 1): () => number {
  const real = globalThis.setTimeout;
  let asked = 0;
  vi.spyOn(globalThis, "setTimeout").mockImplementation((work: () => void, ms = 0) => {
    if (ms === 30_000) asked += 1;
    return real(work, ms === 30_000 && asked >= last ? 300 : ms);
  });
  return () => asked;
}

describe("a download", () => {
  it.each([
    ["does not answer", 0],
    ["stops in the middle", 50],
  ])("is given up when its server %s, 30 s after the last byte", async (_, bytes) => {
    before = bytes;
    const last = bytes === 0 ? 1 : 2;
    const waits = hasten(last);
    await expect(download(url)).rejects.toMatchObject({
      code: "NETWORK",
      message: "The download stalled for 30 s.",
      where: url.href,
    });
    expect(waits()).toBe(last);
  });

  it("is given up in time even where a fetch does not mind its signal", async () => {
    hasten();
    const deaf = (): Promise<Response> => new Promise(() => {});
    await expect(download(url, { fetch: deaf })).rejects.toMatchObject({ code: "NETWORK" });
    const abort = new AbortController();
    const waiting = download(url, { fetch: deaf, signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    // Nor is it waited for any more when it goes on.
    const later = new AbortController();
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (more = controller),
    });
    const onBytes = vi.fn();
    const going = download(url, {
      fetch: async () => new Response(body),
      signal: later.signal,
      onBytes,
    });
    more?.enqueue(Uint8Array.of(1));
    await vi.waitFor(() => expect(onBytes).toHaveBeenCalledOnce());
    later.abort();
    await expect(going).rejects.toMatchObject({ code: "ABORTED" });
    const asked = vi.mocked(setTimeout).mock.calls.length;
    more?.enqueue(Uint8Array.of(2));
    await new Promise((resolve) => setImmediate(resolve));
    expect(onBytes).toHaveBeenCalledOnce();
    expect(vi.mocked(setTimeout).mock.calls).toHaveLength(asked);
  });

  /** A server whose first answer breaks off behind so many of a file's hundred bytes; what is asked for, too. */
  function breaking(length: number) {
    const whole = Uint8Array.from({ length: 100 }, (_, at) => at);
    const asked: (string | null)[] = [];
    const fetch = async (_: string, { headers }: RequestInit): Promise<Response> => {
      const range = new Headers(headers).get("range");
      asked.push(range);
      if (range !== null) return new Response(null, { status: 416 });
      if (asked.length > 1) return new Response(whole);
      let isSent = false;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (isSent) controller.error(new Error("reset"));
            else controller.enqueue(whole.slice(0, length));
            isSent = true;
          },
        }),
      );
    };
    return { whole, asked, fetch };
  }

  it("of which all came is whole, though its end did not come", async () => {
    const { whole, asked, fetch } = breaking(100);
    expect(await download(url, { bytes: 100, fetch })).toEqual(whole);
    expect(asked).toEqual([null]);
  });

  it("begins anew where the server has no range of it", async () => {
    const { whole, asked, fetch } = breaking(60);
    expect(await download(url, { fetch })).toEqual(whole);
    expect(asked).toEqual([null, "bytes=60-", null]);
  });

  it("that came whole is not aborted: a copy of it may still be stored", async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const answered = (status: number) => async (_: string, init: RequestInit) => {
      signals.push(init.signal);
      return new Response(new Uint8Array(3), { status });
    };
    await download(url, { fetch: answered(200) });
    await download(url, { fetch: answered(403) }).catch(() => {});
    expect(signals.map((signal) => signal?.aborted)).toEqual([false, true]);
  });

  it.each([
    [403, {}, []],
    [503, {}, [300, 900]],
    [429, { "retry-after": "2" }, [2000, 2000]],
    [429, { "retry-after": "3600" }, [10_000, 10_000]],
  ])(
    "that a server answers with %i is tried again in good time, or not at all",
    async (status, headers, waits) => {
      const real = globalThis.setTimeout;
      const waited: number[] = [];
      vi.spyOn(globalThis, "setTimeout").mockImplementation((work: () => void, ms = 0) => {
        if (ms !== 30_000) waited.push(ms);
        return real(work, ms === 30_000 ? ms : 0);
      });
      const fetch = vi.fn(async () => new Response(null, { status, headers }));
      await expect(download(url, { fetch })).rejects.toMatchObject({ code: "NETWORK" });
      expect(waited).toEqual(waits);
      expect(fetch).toHaveBeenCalledTimes(waits.length + 1);
    },
  );

  it("that waits to be tried again ends with an abort", async () => {
    const abort = new AbortController();
    const headers = { "retry-after": "10" };
    const fetch = vi.fn(async () => new Response(null, { status: 503, headers }));
    const waiting = download(url, { fetch, signal: abort.signal });
    setTimeout(() => abort.abort(), 20);
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  it("says how many bytes there will be, and leaves no timer and no listener", async () => {
    before = 100;
    const clear = vi.spyOn(globalThis, "clearTimeout");
    const abort = new AbortController();
    const seen: [number, number | undefined][] = [];
    const onBytes = (received: number, total?: number): void => void seen.push([received, total]);
    expect(await download(url, { onBytes, signal: abort.signal })).toHaveLength(100);
    expect(seen.at(-1)).toEqual([100, 100]);
    expect(clear).toHaveBeenCalled();
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });
});
