/** Features of the window that nobody sees, and of a web that is not visited: two have pages of their own. */
const needless = [
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "MediaRouter",
  "OptimizationHints",
  "PreconnectToSearch",
  "Translate",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
];

const quiet = [
  "--no-first-run",
  "--no-default-browser-check",
  "--no-service-autorun",
  "--disable-background-networking",
  "--disable-breakpad",
  "--disable-client-side-phishing-detection",
  "--disable-component-extensions-with-background-pages",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-extensions",
  `--disable-features=${needless.join()}`,
  "--disable-field-trial-config",
  "--disable-search-engine-choice-screen",
  "--disable-sync",
  "--edge-skip-compat-layer-relaunch",
  "--metrics-recording-only",
  "--mute-audio",
  "--password-store=basic",
  "--use-mock-keychain",
];

const steady = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-dev-shm-usage",
  "--disable-hang-monitor",
  "--disable-ipc-flooding-protection",
  "--disable-renderer-backgrounding",
];

/** Chromium starts as root without one alone. */
export const mayHaveSandbox = (): boolean => process.getuid?.() !== 0;

/** What it says where the system lets it have none: in many containers, and where only packaged browsers may. */
export const noSandbox = /No usable sandbox/;

/**
 * What automation of Chromium needs: that it asks nobody, tells nobody, and slows nothing down that is not looked at.
 * https://github.com/GoogleChrome/chrome-launcher/blob/main/docs/chrome-flags-for-tools.md
 */
export function chromiumFlags(profile: string, isSandboxed: boolean): readonly string[] {
  return [
    "--headless",
    "--remote-debugging-pipe",
    `--user-data-dir=${profile}`,
    "--enable-unsafe-webgpu",
    "--enable-unsafe-swiftshader",
    ...quiet,
    ...steady,
    ...(isSandboxed ? [] : ["--no-sandbox"]),
    "about:blank",
  ];
}
