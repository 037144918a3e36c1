import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VisitedBrowser } from "./visited-browser.js";

let browser: VisitedBrowser;
beforeEach(async () => {
  browser = await VisitedBrowser.start();
});
afterEach(() => browser.dispose());

const never = new AbortController().signal;
const gone = { code: "ENGINE_CRASHED" };

/** What a page is told, one command after the other. */
async function open(userAgent: string) {
  const leaving = new AbortController();
  const response = await fetch(new URL("call/visit", browser.address), {
    headers: { "User-Agent": userAgent },
    signal: leaving.signal,
  });
  const told = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (told === undefined) throw new Error("There is no stream.");
  return { told, leave: () => leaving.abort() };
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

describe("a page that is open in somebody's browser", () => {
  it("is served with a policy that lets nothing of others run", async () => {
    const page = await (await fetch(browser.address)).text();
    expect(page).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
    const guess = browser.address.replace(/[0-9a-f]{32}/, "0".repeat(32));
    expect((await fetch(guess)).status).toBe(404);
  });

  it("is told to start workers and to show what is known, whatever stands in it", async () => {
    const page = await open(firefox);
    const visit = await browser.nextVisit(never);
    expect(visit?.browser).toBe("Firefox 150");
    const model = "</script>\n\ndata: {}\u2028<img src=x onerror=alert(1)>";
    visit?.show({ model, browser: "Firefox 150", phase: "", isOver: false, rows: [] });
    const { value } = await page.told.read();
    expect(value?.match(/^data: /gm)).toHaveLength(1);
    expect(JSON.parse(value?.replace(/^data: /, "") ?? "")).toMatchObject({ state: { model } });
    await visit?.openChannel(["wasm", "aot"]);
    expect((await page.told.read()).value).toContain("target=wasm%2Caot");
    page.leave();
  });

  it.each([
    ["Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36 Edg/156.0", "Edge 156"],
    ["Mozilla/5.0 (Macintosh) Version/26.1 Safari/605.1.15", "Safari 26"],
    ["Mozilla/5.0 HeadlessChrome/156.0.0.0 Safari/537.36", "Chrome 156"],
    ["<script>Firefox/evil</script>", "a browser"],
  ])("that says it is %s is called %s", async (said, name) => {
    const page = await open(said);
    expect((await browser.nextVisit(never))?.browser).toBe(name);
    page.leave();
  });

  it("makes way for a later one, and what waits for an answer of it learns that", async () => {
    const first = await open(firefox);
    const visit = await browser.nextVisit(never);
    const channel = await visit?.openChannel(["aot"]);
    const refused = expect(channel?.call({ kind: "probe" })).rejects.toMatchObject(gone);
    const second = await open(firefox);
    await refused;
    expect(visit?.isOver).toBe(true);
    const next = await browser.nextVisit(never);
    expect(next?.isOver).toBe(false);
    const waiting = next?.openChannel(["aot"]).then((own) => own.call({ kind: "probe" }));
    const refusedToo = expect(waiting).rejects.toMatchObject(gone);
    second.leave();
    await refusedToo;
    await expect(next?.openChannel(["aot"])).rejects.toMatchObject(gone);
    first.leave();
  });

  it("need not come: whoever waits may stop waiting", async () => {
    const stop = new AbortController();
    const waiting = browser.nextVisit(stop.signal);
    stop.abort();
    expect(await waiting).toBeNull();
    expect(await browser.nextVisit(stop.signal)).toBeNull();
  });
});
