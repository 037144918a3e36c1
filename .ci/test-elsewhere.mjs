// `npm run test:elsewhere`, or `-- <place> …`: tests as other machines run them. Exits 1 when a test fails, 2 when a place
// cannot be had here.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { arm64 } from "./elsewhere/arm64.mjs";
import { saturating } from "./elsewhere/saturating.mjs";
import { withoutVnni } from "./elsewhere/without-vnni.mjs";

/** Each says what it is, which tests are run there, and how, or why not here. */
const places = { "without-vnni": withoutVnni, arm64, saturating };

const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(places, name));
if (unknown !== undefined) {
  console.error(
    `There is no place "${unknown}". The places are ${Object.keys(places).join(", ")}.`,
  );
  process.exit(2);
}

const vitest = ["node_modules/vitest/vitest.mjs", "run"];
const patient = ["--testTimeout", "900000", "--hookTimeout", "900000"];
const reporters = ["--reporter", "default", "--reporter", "./.ci/count-reporter.mjs"];
let [failed, absent] = [false, false];
for (const name of wanted.length > 0 ? wanted : Object.keys(places)) {
  const { is, files, start } = places[name];
  console.log(`# ${name}: ${is}`);
  const how = start(root);
  if (how.missing !== undefined) {
    console.error(`${name} cannot run here: ${how.missing}`);
    absent = true;
    continue;
  }
  const { status } = spawnSync(
    how.command,
    [...how.args, ...vitest, ...patient, ...reporters, ...how.options, ...files],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, ...how.env } },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : absent ? 2 : 0);
