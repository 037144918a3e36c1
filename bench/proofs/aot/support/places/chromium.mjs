// A page of a driven Chromium, under a policy that lets nothing be evaluated.
import { createRequire } from "node:module";
import { findBrowser } from "../../../../dist/engines/find-browser.js";

const { chromium } = createRequire(import.meta.url)("playwright-core");

/**
 * Opens a page; null where there is no browser.
 *
 * @param {string} url
 * @param use is given what evaluates on it, the browser's name, and what it complained of
 */
export async function onPage(url, use) {
  const executablePath = await findBrowser();
  if (executablePath === null) return null;
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
    await page.goto(url);
    // What waits for a function evaluates it in the page, which the policy forbids.
    for (let tries = 0; !(await page.evaluate("'proof' in globalThis")); tries += 1) {
      if (tries === 600) throw new Error(`The page did not start: ${complaints.join("; ")}`);
      await page.waitForTimeout(50);
    }
    const name = `Chromium ${browser.version().split(".")[0]}`;
    return await use((expression) => page.evaluate(expression), name, complaints);
  } finally {
    await browser.close();
  }
}
