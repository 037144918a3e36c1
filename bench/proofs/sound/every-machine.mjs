// Tests that run integers pass on x64 without VNNI, what needs no engine on arm64, and all of them with kernels that saturate.
import { spawnSync } from "node:child_process";

/** Of `npm run test:elsewhere`, and how many tests it must find there at least: none may be lost on the way. */
const places = {
  "without-vnni": { is: "x64 with AVX2 and without VNNI (qemu)", least: 140 },
  arm64: { is: "arm64, what needs no engine (qemu where this machine is another)", least: 1_800 },
  saturating: { is: "every test, with integer kernels that saturate in pairs", least: 3_500 },
};

export async function prove({ claim, root }) {
  for (const [place, { is, least }] of Object.entries(places)) {
    const { status, stdout } = spawnSync(process.execPath, [".ci/test-elsewhere.mjs", place], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 2 ** 28,
    });
    const counts = stdout.match(/^(\d+) passed, (\d+) failed, (\d+) skipped$/m);
    if (counts === null) {
      claim(`${is}: tests`, { value: `none (exit ${status})`, bound: least, met: false });
      continue;
    }
    const [passed, failed, skipped] = counts.slice(1).map(Number);
    claim(`${is}: tests that fail`, {
      value: failed,
      bound: 0,
      n: passed + failed,
      met: status === 0 && failed === 0,
      note: `${passed} passed, ${skipped} skipped`,
    });
    claim(`${is}: tests that pass`, { value: passed, bound: least, met: passed >= least });
  }
}
