import { type Browser, chromium } from "playwright-core";
import { findBrowser } from "../../../bench/src/engines/find-browser.js";

/** Where an installed Chromium, Chrome or Edge lies; null where there is none. */
export const chromiumPath = await findBrowser();

/** With the software GPU that Chromium brings, so that WebGPU can be tested everywhere. */
export function launchChromium(): Promise<Browser> {
  const args = [
    "--enable-unsafe-webgpu",
    // Stands for a host that is not localhost, over plain http.
    "--host-resolver-rules=MAP pare.example 127.0.0.1",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
  return chromium.launch({ executablePath: chromiumPath ?? "", args });
}
