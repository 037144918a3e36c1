// Browsers for which there is no driver: each is started on an address, and the page says by itself what it found.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

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

/**
 * @typedef {object} Undriven
 * @property {string} name
 * @property {readonly (string | undefined)[]} paths where it may be
 * @property {(path: string, url: string, profile: string) => readonly [string, ...string[]]} command
 */

/** Debian: `apt-get install firefox-esr`, and `apt-get install surf xvfb` for WebKit, which Safari is made of. */
export const undriven = [
  {
    name: "Firefox",
    paths: [
      process.env.PARE_FIREFOX,
      ...inPath("firefox", "firefox-esr"),
      "/Applications/Firefox.app/Contents/MacOS/firefox",
    ],
    command(path, url, profile) {
      const lines = Object.entries(preferences).map(
        ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
      );
      writeFileSync(join(profile, "user.js"), lines.join(""));
      return [path, "--headless", "--no-remote", "--profile", profile, url];
    },
  },
  {
    name: "WebKit",
    paths: ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/libexec"].flatMap(
      (folder) =>
        ["4.1", "4.0"].map((version) => join(folder, `webkit2gtk-${version}`, "MiniBrowser")),
    ),
    command: (path, url) => [
      ...(process.env.DISPLAY ? [] : ["xvfb-run", "-a"]),
      path,
      "--private",
      "--autoplay-policy=allow",
      url,
    ],
  },
];

function inPath(...names) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name)));
}

/** @param {Undriven} browser */
export function isHere({ paths }) {
  return pathOf(paths) !== undefined;
}

function pathOf(paths) {
  return paths.find((path) => path !== undefined && existsSync(path));
}

/**
 * Opens an address in a browser of its own while something goes on.
 *
 * @template T
 * @param {Undriven} browser which is here
 * @param {string} url
 * @param {() => Promise<T>} meanwhile
 * @returns {Promise<T>} what that gives
 */
export async function whileOpen({ name, paths, command }, url, meanwhile) {
  const profile = mkdtempSync(join(tmpdir(), "pare-browser-"));
  const [program, ...args] = command(pathOf(paths) ?? name, url, profile);
  // Root is let start it only in a home of its own.
  const env = { ...process.env, HOME: profile };
  const child = spawn(program, args, { stdio: "ignore", env, detached: true });
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
    child.once("error", resolve);
  });
  const failed = ended.then((code) => {
    throw new Error(`${name} ended with ${code} before the page had said anything.`);
  });
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The page in ${name} said nothing.`)), patienceMs);
  });
  try {
    return await Promise.race([meanwhile(), failed, late]);
  } finally {
    clearTimeout(timer);
    failed.catch(() => {});
    // With what it started: a display of its own, a process for each page.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid);
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Visits a page that goes, with what it found as JSON behind the question mark, to the address that it is given as `tell`:
 * no policy of content forbids that.
 *
 * @param {Undriven} browser
 * @param {string} url with a query
 * @returns {Promise<unknown>}
 */
export async function visit(browser, url) {
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  const server = createServer((request, response) => {
    const [, said = ""] = (request.url ?? "").split("?");
    if (said !== "") tell(JSON.parse(decodeURIComponent(said)));
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = `http://127.0.0.1:${server.address().port}/`;
    return await whileOpen(browser, `${url}&tell=${encodeURIComponent(address)}`, () => told);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
