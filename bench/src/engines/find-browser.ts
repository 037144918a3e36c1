import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { PareError } from "@pare/runtime/format";

const names = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
  "brave-browser",
];

/** Where an installed Chromium, Chrome or Edge may be, the likeliest first; `PARE_CHROMIUM` names one outright. */
function* places(): Generator<string> {
  const { env, platform } = process;
  if (env["PARE_CHROMIUM"]) {
    yield env["PARE_CHROMIUM"];
    return;
  }
  if (platform === "darwin") {
    for (const root of ["/Applications", join(env["HOME"] ?? "", "Applications")]) {
      for (const app of ["Chromium", "Google Chrome", "Microsoft Edge"])
        yield join(root, `${app}.app/Contents/MacOS/${app}`);
    }
    return;
  }
  if (platform === "win32") {
    for (const root of [env["PROGRAMFILES"], env["PROGRAMFILES(X86)"], env["LOCALAPPDATA"]]) {
      if (!root) continue;
      yield join(root, "Google\\Chrome\\Application\\chrome.exe");
      yield join(root, "Chromium\\Application\\chrome.exe");
      yield join(root, "Microsoft\\Edge\\Application\\msedge.exe");
    }
    return;
  }
  const folders = new Set([
    ...(env["PATH"] ?? "").split(delimiter),
    "/usr/bin",
    "/usr/local/bin",
    "/snap/bin",
  ]);
  for (const name of names) {
    for (const folder of folders) yield join(folder, name);
  }
  yield "/opt/google/chrome/chrome";
}

/** The path of an installed browser, or null. Nothing is ever downloaded. */
export async function findBrowser(): Promise<string | null> {
  for (const path of places()) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

/** That there is no browser, and which package to install on this system. */
export function browserMissing(): PareError {
  const hints: Partial<Record<NodeJS.Platform, string>> = {
    linux:
      "Install one: `apt-get install chromium` on Debian, `dnf install chromium` on Fedora, or Chrome's own package.",
    darwin: "Install Chrome, Edge or Chromium: `brew install --cask google-chrome`.",
    win32: "Install Chrome or Edge.",
  };
  return new PareError("BROWSER_MISSING", "No Chromium, Chrome or Edge was found.", {
    where: process.env["PARE_CHROMIUM"] ?? "the usual places",
    hint: hints[process.platform] ?? "Install Chromium, or name one in PARE_CHROMIUM.",
  });
}
