// Firefox, for which there is no driver: it is started on an address, and the page says by itself what it found.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const names = ["firefox", "firefox-esr"];
const patienceMs = 120_000;
/** Nothing of a first start, no update, and sound without a gesture. */
const preferences = {
  "app.update.auto": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "media.autoplay.default": 0,
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

/** The path of an installed Firefox, or null; `PARE_FIREFOX` names one outright. */
export function findFirefox() {
  const { PARE_FIREFOX: named, PATH = "" } = process.env;
  if (named) return named;
  const folders = process.platform === "darwin" ? [] : PATH.split(delimiter);
  const paths = [
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    "/Applications/Firefox.app/Contents/MacOS/firefox",
  ];
  return paths.find((path) => existsSync(path)) ?? null;
}

/**
 * Opens an address in a Firefox of its own, without a window, while something goes on.
 *
 * @template T
 * @param {string} url
 * @param {() => Promise<T>} meanwhile
 * @returns {Promise<T | null>} what that gives; null where there is no Firefox
 */
export async function inFirefox(url, meanwhile) {
  const path = findFirefox();
  if (path === null) return null;
  const profile = mkdtempSync(join(tmpdir(), "pare-firefox-"));
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, "user.js"), lines.join(""));
  // A session of another user's, by which Firefox refuses to start for root, is not asked for.
  const env = { ...process.env, HOME: profile, MOZ_HEADLESS: "1" };
  const child = spawn(path, ["--no-remote", "--profile", profile, url], { stdio: "ignore", env });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const failed = ended.then((code) => {
    throw new Error(`Firefox ended with ${code} before the page had said anything.`);
  });
  try {
    return await Promise.race([meanwhile(), failed]);
  } finally {
    failed.catch(() => {});
    child.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Visits a page that goes, with what it found as JSON behind the question mark, to the address that it is given as `tell`:
 * no policy of content forbids that.
 *
 * @param {string} url with a query
 * @returns {Promise<unknown>} null where there is no Firefox
 */
export async function visitInFirefox(url) {
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  const server = createServer((request, response) => {
    const [, said = ""] = (request.url ?? "").split("?");
    if (said !== "") tell(JSON.parse(decodeURIComponent(said)));
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("The page did not say anything.")), patienceMs);
  });
  try {
    const address = `http://127.0.0.1:${server.address().port}/`;
    const page = `${url}&tell=${encodeURIComponent(address)}`;
    return await inFirefox(page, () => Promise.race([told, late]));
  } finally {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
  }
}
