// Every operator that is compiled, in cases that nobody chose: shapes, attributes and types drawn anew by each of several
// seeds, against onnxruntime, and kernels against their references. `npm test` draws a third of one seed's.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../shell.mjs";

const seeds = [1, 2, 3, 4, 5];
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--reporter=json"];
const where = [
  "compiler/src/wasm/lower/",
  "compiler/src/wasm/kernels/",
  "compiler/src/wasm/random",
];

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    let cases = 0;
    const failures = [];
    for (const seed of seeds) {
      const [counted, said] = [join(folder, `cases-${seed}`), join(folder, `said-${seed}.json`)];
      writeFileSync(counted, "");
      const env = { PARE_SEED: String(seed), PARE_CASES: "1", PARE_CASES_COUNTED: counted };
      spawnSync(process.execPath, [...vitest, `--outputFile=${said}`, ...where], {
        cwd: root,
        env: { ...process.env, ...env },
        stdio: ["ignore", "ignore", "inherit"],
      });
      const { success, testResults } = JSON.parse(readFileSync(said, "utf8"));
      const failed = testResults.flatMap(({ assertionResults }) =>
        assertionResults.filter(({ status }) => status === "failed"),
      );
      for (const { fullName, failureMessages } of failed)
        failures.push(`seed ${seed}: ${fullName}: ${failureMessages.join("\n").slice(0, 2000)}`);
      if (!success && failed.length === 0) failures.push(`seed ${seed}: a file did not load`);
      const drawn = readFileSync(counted, "utf8").split("\n").map(Number);
      cases += drawn.reduce((sum, count) => sum + count, 0);
      console.error(`  seed ${seed} of ${seeds.length}: ${cases} cases`);
    }
    for (const failure of failures) console.error(failure);
    inform("cases drawn of each seed", { value: cases / seeds.length, n: seeds.length });
    claim("properties that fail", {
      value: failures.length,
      bound: 0,
      n: cases,
      met: failures.length === 0 && cases >= 1000 * seeds.length,
      ...(failures.length > 0 && { note: failures.map((one) => one.slice(0, 100)).join("; ") }),
    });
  });
}
