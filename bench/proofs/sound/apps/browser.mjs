// The Chromium that is installed.
import { chromium } from "playwright-core";
import { findBrowser } from "../../../dist/engines/find-browser.js";

export async function launch(options = {}) {
  const executablePath = await findBrowser();
  if (executablePath === null) throw new Error("There is no Chromium, Chrome or Edge here.");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, ...options, args: [...args, ...(options.args ?? [])] });
}
