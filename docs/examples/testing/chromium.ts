import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where an installed Chromium or Chrome lies; undefined where there is none. */
export const chromiumPath: string | undefined = [process.env["PARE_BROWSER"], ...places].find(
  (path) => path !== undefined && existsSync(path),
);

/** With the software GPU that Chromium brings, so that WebGPU can be tested everywhere. */
export function launchChromium(): Promise<Browser> {
  // pare.example stands for a host that is not localhost, over plain http.
  const args = [
    "--enable-unsafe-webgpu",
    "--host-resolver-rules=MAP pare.example 127.0.0.1",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
  return chromium.launch({ executablePath: chromiumPath ?? "", args });
}
