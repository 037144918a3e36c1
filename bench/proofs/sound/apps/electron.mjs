// The example in Electron, from its folder and packaged: where npm can bring Electron.
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { _electron } from "playwright-core";
import { versions } from "./apps.mjs";
import { follow, npmEnvironment } from "./guide.mjs";
import { json, run } from "../../shell.mjs";

export async function inElectron({ inform, root, folder, bundle, tarball, ...tools }) {
  const app = join(folder, "electron");
  const example = join(root, "docs/examples/electron");
  mkdirSync(app);
  cpSync(example, app, { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  cpSync(bundle, join(app, "digits.pare"), { recursive: true });
  // What it is made of is installed by the guide, in the versions that are stated here.
  const manifest = json(join(app, "package.json"));
  const parts = { ...manifest, dependencies: {}, devDependencies: {} };
  writeFileSync(join(app, "package.json"), JSON.stringify(parts));
  const all = { ...versions, "@pare/runtime": tarball };
  await follow(join(root, "docs/guides/electron.md"), { folder: app, versions: all });
  // Electron is fetched when it is first asked for, from another host than the packages.
  const ask = ["60", process.execPath, "-p", 'require("electron")'];
  const { code, stdout } = await run("timeout", ask, { cwd: app, env: npmEnvironment });
  if (code !== 0) {
    const note = "its binary does not come here; the nightly workflow runs it";
    inform("Electron", { value: "skipped", note });
    return;
  }
  const electron = stdout.trim().split("\n").at(-1);
  await launched({
    ...tools,
    what: "Electron, from its folder",
    executable: electron,
    args: [app],
  });

  const packaged = await run("npx", ["electron-builder", "--dir"], {
    cwd: app,
    env: npmEnvironment,
  });
  if (packaged.code !== 0) throw new Error(`electron-builder: ${packaged.stderr.slice(-500)}`);
  const place = join(
    app,
    "dist",
    readdirSync(join(app, "dist")).find((name) => /unpacked/.test(name)),
  );
  const executable = join(place, "pare-example-electron");
  await launched({ ...tools, what: "Electron, out of app.asar", executable, args: [] });
}

async function launched({ claim, answers, soon, what, executable, args }) {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const started = performance.now();
  const app = await _electron.launch({
    executablePath: executable,
    args: [...sandbox, ...args],
    cwd: tmpdir(),
  });
  try {
    const window = await app.firstWindow();
    for (const target of ["cpu", "wasm"]) {
      const text = await window
        .locator(`#${target}:not(:empty)`)
        .textContent({ timeout: soon * 1000 });
      const seconds = (performance.now() - started) / 1000;
      answers(`${what}, ${target}, started elsewhere`, target, { text, seconds });
    }
    const isolated = await window.evaluate(() => crossOriginIsolated);
    claim(`${what}: the window is isolated`, { value: isolated, bound: true, met: isolated });
  } finally {
    await app.close();
  }
}
