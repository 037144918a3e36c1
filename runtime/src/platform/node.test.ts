import { runInNewContext } from "node:vm";
import { afterEach, expect, it, vi } from "vitest";
import { readFileUrl } from "./node.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

it("reads bytes into an array of this realm, where a test runner put a page's classes in place of Node's", async () => {
  const PageArray: Uint8ArrayConstructor = runInNewContext("Uint8Array");
  vi.stubGlobal("Uint8Array", PageArray);
  const bytes = await readFileUrl(new URL(import.meta.url), 10_000);
  expect(bytes instanceof PageArray).toBe(true);
  expect(new TextDecoder().decode(bytes ?? undefined)).toContain("of this realm");
});
