import { afterAll, expect, it, vi } from "vitest";
import type { Ort } from "./ort.js";
import type { WebBuild } from "./web-build.js";
import { webBackend } from "./web-engine.js";

let count = 0;

/** An engine whose own module takes a while to come, and what it was started with. */
function scene() {
  const flags: { wasmBinary?: Uint8Array; numThreads?: number } = {};
  const started: { hasBytes: boolean; threads: number | undefined }[] = [];
  const create = async () => {
    started.push({ hasBytes: flags.wasmBinary !== undefined, threads: flags.numThreads });
    return { release: async () => {} };
  };
  const versions = { common: "1.30.0", web: "1.30.0" };
  const ort = { env: { wasm: flags, versions }, InferenceSession: { create } } as unknown as Ort;
  const build = {
    provider: "wasm",
    file: "ort.wasm",
    bytes: 8,
    import: async () => ort,
    wasm: () => new URL("http://models.example/ort-hash.wasm"),
    mjs: () =>
      new URL(`data:text/javascript,await new Promise((r) => setTimeout(r, 300)); ${(count += 1)}`),
  } as unknown as WebBuild;
  const fetch = async () => new Response(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  return { build, fetch, started };
}

// In Node no file of the engine is waited for.
vi.stubGlobal("crossOriginIsolated", true);
afterAll(() => vi.unstubAllGlobals());

const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A start that is given up while the engine's own module comes. */
async function abortedStart({ build, fetch }: ReturnType<typeof scene>): Promise<void> {
  const abort = new AbortController();
  const given = webBackend(build, { threads: 2 }).start?.({ signal: abort.signal, fetch });
  void given?.catch(() => {});
  await soon(100);
  abort.abort();
}

it("leaves the engine's bytes to the start that comes after one that was aborted", async () => {
  const own = scene();
  await abortedStart(own);
  await webBackend(own.build, { threads: 2 }).start?.({ fetch: own.fetch });
  expect(own.started).toEqual([{ hasBytes: true, threads: 2 }]);
});

it("is not bound to the threads of a start that was aborted", async () => {
  const own = scene();
  await abortedStart(own);
  await soon(400);
  await webBackend(own.build, { threads: 1 }).start?.({ fetch: own.fetch });
  expect(own.started).toEqual([{ hasBytes: true, threads: 1 }]);
});
