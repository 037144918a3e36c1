import { describe, expect, it } from "vitest";
import { makeBundle } from "../../test-models/write-bundle.js";
import { cpu } from "../backends/ort-node.js";
import type { Backend, StartOptions } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";
import { load } from "./load.js";

const { files, ...bundle } = await makeBundle();
const address = "http://models.example/affine.pare/";

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

function deferred(): Deferred {
  const settle: Pick<Deferred, "resolve" | "reject"> = { resolve() {}, reject() {} };
  const promise = new Promise<void>((resolve, reject) =>
    Object.assign(settle, { resolve, reject }),
  );
  return { promise, ...settle };
}

/** A server and an engine of which each step is let through by hand. */
function scene() {
  const engine = deferred();
  const model = deferred();
  const began = deferred();
  const aborted: string[] = [];
  const fetch = async (url: string, { signal }: RequestInit): Promise<Response> => {
    const path = url.slice(address.length);
    if (path.startsWith("variants/")) {
      began.resolve();
      signal?.addEventListener("abort", () => aborted.push(path));
      await model.promise;
    }
    return new Response(files.get(path) ?? null);
  };
  let how: StartOptions = {};
  const backend: Backend = {
    ...cpu(),
    async start(options = {}) {
      how = options;
      options.onBytes?.(0, 1000);
      await engine.promise;
      options.onBytes?.(900, 900);
    },
  };
  const seen: [number, number][] = [];
  const abort = new AbortController();
  const loading = load(address, {
    backends: backend,
    fetch,
    signal: abort.signal,
    onProgress: ({ receivedBytes, totalBytes }) => seen.push([receivedBytes, totalBytes]),
  });
  const modelBytes = [...files].find(([path]) => path.startsWith("variants/"))?.[1].length ?? 0;
  return { engine, model, began, aborted, loading, seen, abort, modelBytes, how: () => how, fetch };
}

describe("an engine and its model", () => {
  it("come side by side, and progress ends when both are there", async () => {
    const { began, engine, model, loading, seen, modelBytes, how, fetch } = scene();
    await began.promise;
    expect(seen).toEqual([[0, modelBytes + 1000]]);
    expect(how().fetch).toBe(fetch);
    model.resolve();
    while (seen.at(-1)?.[0] !== modelBytes) await new Promise((next) => setTimeout(next, 1));
    expect(seen.filter(([received, total]) => received === total)).toEqual([]);
    expect(seen.at(-1)).toEqual([modelBytes, modelBytes + 1000]);
    engine.resolve();
    await (await loading).dispose();
    expect(seen.at(-1)).toEqual([modelBytes + 900, modelBytes + 900]);
  });

  it("end together where the engine fails, the download with it", async () => {
    const { began, engine, aborted, loading } = scene();
    await began.promise;
    engine.reject(new PareError("ENGINE_PAGE", "a page", { hint: "serve it" }));
    await expect(loading).rejects.toMatchObject({
      code: "ENGINE_PAGE",
      hint: "serve it",
      tried: expect.arrayContaining([
        {
          variant: "cpu",
          target: "cpu",
          ok: false,
          reason: "a page",
          code: "ENGINE_PAGE",
          hint: "serve it",
        },
      ]),
    });
    expect(aborted).toHaveLength(1);
  });

  it("are left at once by an abort", async () => {
    const { began, aborted, loading, abort } = scene();
    await began.promise;
    abort.abort();
    await expect(loading).rejects.toMatchObject({ code: "ABORTED" });
    expect(aborted).toHaveLength(1);
  });

  it.each(["probe", "needs"] as const)("are not begun after an abort in %s", async (moment) => {
    const abort = new AbortController();
    const begun: string[] = [];
    const backend: Backend = {
      ...cpu(),
      async probe() {
        if (moment === "probe") abort.abort();
        return { ok: true, engine: "any" };
      },
      needs(files) {
        abort.abort();
        return files;
      },
      start: async () => void begun.push("the engine"),
    };
    const fetch = async (url: string): Promise<Response> => {
      begun.push(url);
      return new Response(null);
    };
    const places = Object.fromEntries([...files.keys()].map((path) => [path, address + path]));
    await expect(
      load({ ...bundle, files: places }, { backends: backend, fetch, signal: abort.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    expect(begun).toEqual([]);
  });

  it("say nothing more of a variant that was given up", async () => {
    const { began, engine, model, loading, seen, how } = scene();
    await began.promise;
    engine.reject(new Error("no"));
    await expect(loading).rejects.toMatchObject({ code: "ENGINE" });
    const before = seen.length;
    how().onBytes?.(1, 2);
    model.resolve();
    await new Promise((next) => setTimeout(next, 10));
    expect(seen).toHaveLength(before);
  });
});
