// The places that a page has: itself under a strict policy, workers, an audio worklet.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { findBrowser } from "../../../../dist/engines/find-browser.js";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
/** Nothing is evaluated but WebAssembly, and nothing comes from elsewhere. */
export const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src data:";

/**
 * Opens a folder's page; null where there is no browser.
 *
 * @param use is given what evaluates on it, the browser's name, and what it complained of
 */
export async function onPage(folder, use) {
  const executablePath = await findBrowser();
  if (executablePath === null) return null;
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(request.url ?? "/").replace(/^\/$/, "index.html"));
    const type = types[extname(path)] ?? "application/octet-stream";
    const headers = { "content-type": type, "content-security-policy": policy };
    if (!existsSync(path)) return response.writeHead(404, headers).end();
    response.writeHead(200, headers);
    return createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--autoplay-policy=no-user-gesture-required",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    // What waits for a function evaluates it in the page, which the policy forbids.
    for (let tries = 0; !(await page.evaluate("'proof' in globalThis")); tries += 1) {
      if (tries === 600) throw new Error(`The page did not start: ${complaints.join("; ")}`);
      await page.waitForTimeout(50);
    }
    const name = `Chromium ${browser.version().split(".")[0]}`;
    return await use((expression) => page.evaluate(expression), name, complaints);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}
