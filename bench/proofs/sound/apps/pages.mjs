// Pages without a bundler: from one server, from two, offline, and opened as a file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { follow } from "./guide.mjs";
import { isolation, policy, serve } from "./serve.mjs";
import { told } from "./told.mjs";
import { shown, visit } from "./visit.mjs";

/** What the guide says the other server has to send. */
const shared = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
};

export async function pages(tools) {
  const { build, answers, isThreaded, browser } = tools;
  const { app } = await build("a plain page", "plain-page");
  const site = join(app, "site");

  const server = await serve(site, { headers: { ...isolation, ...policy } });
  try {
    const seen = await visit(browser, server.url);
    answers("a plain page, from one prebuilt file", "wasm", seen);
    isThreaded("a plain page", seen, server.workers);
  } finally {
    await server.close();
  }

  await fromElsewhere(tools, site);
  await offline(tools, app);
  await asFile(tools, site);
}

async function fromElsewhere({ answers, browser }, site) {
  const elsewhere = await serve(site, { headers: shared });
  const page = join(site, "elsewhere.html");
  const text = readFileSync(page, "utf8").replaceAll("https://cdn.example/", elsewhere.url);
  writeFileSync(page, text);
  const server = await serve(site, { headers: isolation });
  try {
    answers(
      "a plain page, runtime, engine and bundle from another server",
      "wasm",
      await visit(browser, `${server.url}elsewhere.html`),
    );
  } finally {
    await server.close();
    await elsewhere.close();
  }
}

async function offline({ root, answers, isThreaded, browser, soon }, app) {
  await follow(join(root, "docs/guides/offline.md"), { folder: app });
  const server = await serve(join(app, "site"), { headers: { ...isolation, ...policy } });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(server.url);
    answers("a page with a service worker, online", "wasm", {
      text: await shown(page, soon * 1000),
    });
    await page.evaluate(async () => (await navigator.serviceWorker.ready).active.scriptURL);
    await server.close();
    const started = performance.now();
    await page.reload();
    const text = await shown(page, soon * 1000);
    const seconds = (performance.now() - started) / 1000;
    answers("a page with a module service worker, its server gone", "wasm", { text, seconds });
    const isolated = await page.evaluate(() => crossOriginIsolated);
    isThreaded("offline", { isolated }, page.workers().length);
  } finally {
    await context.close();
    await server.close();
  }
}

/** A file: page may run modules where it is allowed to, as in Electron; it may not fetch. */
async function asFile(tools, site) {
  const file = join(site, "file.html");
  writeFileSync(
    file,
    `<!doctype html><output></output><script type="module">
import { load, wasm } from "./pare/pare.js";
const started = performance.now();
const { code, message, hint, tried } = await load("digits.pare/", { backends: [wasm()] }).catch((error) => error);
const seconds = (performance.now() - started) / 1000;
document.querySelector("output").textContent = JSON.stringify({ code, message, hint, tried, seconds });
</script>`,
  );
  const browser = await launch({ args: ["--allow-file-access-from-files"] });
  try {
    const { text } = await visit(browser, pathToFileURL(file).href);
    const said = text.startsWith("{") ? JSON.parse(text) : { message: text };
    const expected = {
      code: "NETWORK",
      cure: /Serve the bundle over http/,
      attempts: false,
      next: false,
    };
    told(tools, "a page opened as a file", "wasm", expected, said);
  } finally {
    await browser.close();
  }
}
