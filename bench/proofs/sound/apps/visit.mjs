// A page that is opened, and what it shows.

/** Milliseconds; what hangs is told apart from what is slow. */
const patience = 60_000;

/**
 * Opens a page and waits for the text in its <output>.
 * @returns {Promise<{ text: string, seconds: number, isolated: boolean, workers: number }>}
 */
export async function visit(browser, url, { context, timeout = patience } = {}) {
  const page = await (context ?? browser).newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const started = performance.now();
  try {
    await page.goto(url);
    const text = await shown(page, timeout, said);
    return {
      text,
      seconds: (performance.now() - started) / 1000,
      isolated: await page.evaluate(() => crossOriginIsolated),
    };
  } finally {
    await page.close();
  }
}

/** The text of the page's <output>, once there is one; otherwise why there is none. */
export async function shown(page, timeout, said = []) {
  try {
    await page.waitForFunction(() => document.querySelector("output")?.textContent, null, {
      timeout,
    });
    return await page.locator("output").textContent();
  } catch (error) {
    return `no answer: ${String(error).split("\n")[0]}; ${said.join("; ").slice(0, 600)}`;
  }
}

/** Numbers with spaces between them; null where a text is something else. */
export function numbersIn(text) {
  const numbers = text
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}
