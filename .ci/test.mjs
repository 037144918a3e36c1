// `npm test`: builds, brings a Chromium from Debian's packages where there is none, and runs every test.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
const run = (command, args, options = {}) =>
  spawnSync(command, args, { stdio: "inherit", cwd, ...options }).status ?? 1;

if (run("npm", ["run", "-s", "build"]) !== 0) process.exit(1);
run("node", ["fixtures/scripts/materialize.mjs"]);

const { findBrowser } = await import("../bench/dist/engines/find-browser.js");
if ((await findBrowser()) === null) {
  if (existsSync("/usr/bin/apt-get") && process.getuid?.() === 0) {
    console.error("No Chromium was found: installing Debian's.");
    const quiet = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    run("apt-get", ["update", "-qq"], quiet);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], quiet);
  } else {
    console.error(
      "No Chromium was found and none can be installed here: browser tests are skipped. On Debian: apt-get install chromium",
    );
  }
}

// Each of the hundreds of processes that tests start would read these certificates, and none of them leaves this machine.
delete process.env.NODE_EXTRA_CA_CERTS;
// Nor does what they compare belong on the page of the job that runs them.
delete process.env.GITHUB_STEP_SUMMARY;

const reporters = ["--reporter=default", "--reporter=./.ci/count-reporter.mjs"];
const vitest = ["node_modules/vitest/vitest.mjs", "run"];
process.exit(run("node", [...vitest, ...reporters, ...process.argv.slice(2)]));
