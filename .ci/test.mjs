// `npm test`: builds, brings a Chromium from Debian's packages where there is none, and runs every test.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromiumPath } from "./chromium.mjs";

const run = (command, args, options = {}) => spawnSync(command, args, { stdio: "inherit", ...options }).status ?? 1;
const root = new URL("..", import.meta.url).pathname;

if (run("npx", ["tsc", "-b"], { cwd: root }) !== 0) process.exit(1);
run("node", ["fixtures/scripts/materialize.mjs"], { cwd: root });

if (chromiumPath() === null) {
  const canInstall = existsSync("/usr/bin/apt-get") && process.getuid?.() === 0;
  if (canInstall) {
    console.error("No Chromium was found: installing Debian's.");
    run("apt-get", ["update", "-qq"], { stdio: ["ignore", "ignore", "inherit"] });
    run("apt-get", ["install", "-y", "-qq", "chromium"], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  } else {
    console.error("No Chromium was found and none can be installed here: browser tests are skipped. On Debian: apt-get install chromium");
  }
}

process.exit(run("npx", ["vitest", "run", "--reporter=default", "--reporter=./.ci/count-reporter.mjs", ...process.argv.slice(2)], { cwd: root }));
