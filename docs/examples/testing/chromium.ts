import { type Browser, chromium } from "playwright-core";
import { findBrowser } from "../../../bench/src/engines/find-browser.js";

/** Where an installed Chromium, Chrome or Edge lies; null where there is none. */
export const chromiumPath = await findBrowser();

/**
 * The last list of features that are off counts alone: Playwright's, and the spare renderer. Each page of a test has a context
 * of its own, so that none takes the spare one, and another is started.
 */
const featuresOff = [
  "SpareRendererForSitePerProcess",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "AimEnabled",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
];

/** With the software GPU that Chromium brings, so that WebGPU can be tested everywhere. */
export function launchChromium(): Promise<Browser> {
  const args = [
    "--enable-unsafe-webgpu",
    `--disable-features=${featuresOff.join(",")}`,
    // Stands for a host that is not localhost, over plain http.
    "--host-resolver-rules=MAP pare.example 127.0.0.1",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ];
  return chromium.launch({ executablePath: chromiumPath ?? "", args });
}
