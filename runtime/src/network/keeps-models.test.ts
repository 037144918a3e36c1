import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";

type Fetching = (url: string, init: RequestInit) => Promise<Response>;
const hash = createHash("sha256").update("model").digest("hex");
const url = `https://example.org/digits.pare/variants/${hash}.onnx`;

/** The `fetch` that the README shows, with what it kept. */
async function shown(fetch: Fetching): Promise<{ keep: Fetching; kept: Map<string, Response> }> {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, code = ""] = /```js\n( *const store = [^]*?)```/.exec(readme) ?? [];
  const kept = new Map<string, Response>();
  const cache = {
    match: async (name: string) => kept.get(name)?.clone(),
    put: async (name: string, response: Response) =>
      void kept.set(name, new Response(await response.arrayBuffer())),
  };
  const load = async (_: string, options: { readonly fetch: Fetching }): Promise<Fetching> =>
    options.fetch;
  const outer = { crypto, Response, Uint8Array };
  const inner = { ...outer, fetch, load, wasm: () => [], caches: { open: async () => cache } };
  const lines = code.replace("await load(", "return load(");
  return { keep: await runInNewContext(`(async () => {${lines}})()`, inner), kept };
}

it("shows a fetch that gives a download as it comes, and keeps what came whole", async () => {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  const fetch = vi.fn(async () => {
    const stream = new ReadableStream<Uint8Array>({ start: (own) => void (body = own) });
    return new Response(stream);
  });
  const { keep, kept } = await shown(fetch);
  let response: Response | undefined;
  const asked = keep(url, {}).then((own) => (response = own));
  await vi.waitFor(() => expect(response?.status).toBe(200));
  body?.enqueue(new TextEncoder().encode("model"));
  body?.close();
  expect(await (await asked).text()).toBe("model");
  await vi.waitFor(() => expect(kept.has(url)).toBe(true));
  expect(await (await keep(url, {})).text()).toBe("model");
  expect(fetch).toHaveBeenCalledTimes(1);
});

it("shows a fetch that keeps no file but the one of that name, and no download that broke off", async () => {
  const broken = new ReadableStream({ start: (body) => body.error(new Error("reset")) });
  const answers = [
    new Response("<!doctype html>", { headers: { "content-type": "text/html; charset=utf-8" } }),
    // What a repository holds in a large file's place, and a mended one at the same address later.
    new Response("version https://git-lfs.github.com/spec/v1"),
    new Response(broken),
  ];
  const { keep, kept } = await shown(async () => answers.shift() ?? Response.error());
  await (await keep(url, {})).text();
  await (await keep(url, {})).text();
  await expect((await keep(url, {})).text()).rejects.toThrow("reset");
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(kept.size).toBe(0);
});
