import { createHash } from "node:crypto";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { block } from "./guide.test.support.js";

type Listener = (event: {
  readonly request: string;
  waitUntil(work: Promise<unknown>): void;
  respondWith(work: Promise<unknown>): void;
}) => void;

const ownHash = createHash("sha256").update("own").digest("hex");

/** The guide's service worker among these caches, by name what they hold; what it answers to an event. */
async function serviceWorker(held: Map<string, Map<string, string>>, sha256 = ownHash) {
  const listeners = new Map<string, Listener>();
  const caches = {
    keys: async () => [...held.keys()],
    delete: async (name: string) => held.delete(name),
    open: async (name: string) => ({
      async addAll(files: readonly string[]) {
        held.set(name, new Map(files.map((file) => [file, "own"])));
      },
      match: async (file: string) => new Response(held.get(name)?.get(file)),
    }),
    match: async (request: string, { cacheName }: { cacheName?: string } = {}) =>
      [...held]
        .filter(([name]) => cacheName === undefined || name === cacheName)
        .map(([, files]) => files.get(request))
        .find((found) => found !== undefined),
  };
  const path = "variants/model.onnx";
  const variants = [{ target: "wasm", files: [{ path, sha256 }] }];
  const manifest = { identity: "new", golden: { path: "golden.json" }, variants };
  const code = (await block("offline", "js")).replace(/^import .*$/m, "");
  runInNewContext(code, {
    digits: { manifest, files: { [path]: path } },
    caches,
    crypto,
    Uint8Array,
    fetch: async () => "network",
    self: { addEventListener: (name: string, own: Listener) => listeners.set(name, own) },
  });
  return (name: string, request = "") =>
    new Promise<unknown>((waitUntil) =>
      listeners.get(name)?.({ request, waitUntil, respondWith: waitUntil }),
    );
}

it("offline: drops its own old caches alone, and answers from its own", async () => {
  const others = new Map([["main.js", "another app's"]]);
  const held = new Map([["another-app", others], ["digits-1-old", others]]); // prettier-ignore
  const tell = await serviceWorker(held);
  expect(await tell("fetch", "main.js")).toBe("network");
  await tell("install");
  await tell("activate");
  expect([...held.keys()]).toEqual(["another-app", "digits-1-new"]);
  expect(await tell("fetch", "main.js")).toBe("own");
  expect(await tell("fetch", "other.js")).toBe("network");
});

it("offline: keeps no bundle whose file is another, and installs at the next visit", async () => {
  const held = new Map<string, Map<string, string>>();
  const tell = await serviceWorker(held, ownHash.replaceAll(/./g, "0"));
  await expect(tell("install")).rejects.toThrow("variants/model.onnx is another file");
  expect(held.size).toBe(0);
});
