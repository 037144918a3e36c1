import { PassThrough } from "node:stream";
import { setImmediate as settled } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { DevToolsPipe } from "./devtools-pipe.js";

/** A pipe, what was sent through it, and the browser's end of it. */
function opened() {
  const [to, from] = [new PassThrough(), new PassThrough()];
  const events: string[] = [];
  const pipe = new DevToolsPipe(to, from, (method) => void events.push(method));
  const sent = (): unknown[] =>
    String(to.read() ?? "")
      .split("\0")
      .filter((text) => text !== "")
      .map((text): unknown => JSON.parse(text));
  const answer = (message: object): void => void from.write(`${JSON.stringify(message)}\0`);
  return { pipe, events, sent, answer, to, from };
}

describe("DevTools' pipe", () => {
  it("gives each call its answer, in whatever order they come", async () => {
    const { pipe, sent, answer } = opened();
    const first = pipe.call("Browser.getVersion");
    const second = pipe.call("Page.navigate", { url: "about:blank" }, "page");
    expect(sent()).toEqual([
      { id: 1, method: "Browser.getVersion", params: {} },
      { id: 2, method: "Page.navigate", params: { url: "about:blank" }, sessionId: "page" },
    ]);
    answer({ id: 2, result: { frameId: "a" } });
    answer({ id: 1, result: { product: "Chrome/156" } });
    expect(await second).toEqual({ frameId: "a" });
    expect(await first).toEqual({ product: "Chrome/156" });
  });

  it("puts messages together that come in any pieces", async () => {
    const { pipe, events, from } = opened();
    const call = pipe.call("Runtime.evaluate");
    const bytes = Buffer.from(
      `${JSON.stringify({ id: 1, result: "größer" })}\0${JSON.stringify({ method: "Inspector.targetCrashed" })}\0`,
    );
    for (const byte of bytes) from.write(Buffer.of(byte));
    expect(await call).toBe("größer");
    await settled();
    expect(events).toEqual(["Inspector.targetCrashed"]);
  });

  it("says what the browser has against a call", async () => {
    const { pipe, answer } = opened();
    const call = pipe.call("Page.open");
    answer({ id: 1, error: { code: -32601, message: "'Page.open' wasn't found" } });
    await expect(call).rejects.toThrow("Page.open: 'Page.open' wasn't found");
  });

  it("ends what waits, and what is asked later, with the browser", async () => {
    const { pipe, to } = opened();
    const waiting = pipe.call("Browser.close");
    to.destroy(new Error("EPIPE"));
    pipe.end(new Error("It ended with status 0"));
    pipe.end(new Error("again"));
    await expect(waiting).rejects.toThrow("It ended with status 0");
    await expect(pipe.call("Browser.getVersion")).rejects.toThrow("It ended with status 0");
  });
});
