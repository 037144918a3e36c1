// What would be published: publint on each package, and no test, fixture or build file among what npm packs.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

let wrong = 0;
const complain = (name, text) => {
  wrong += 1;
  console.error(`${name}: ${text}`);
};

for (const folder of ["runtime", "compiler", "bench", "cli"]) {
  const pkgDir = fileURLToPath(new URL(`../${folder}`, import.meta.url));
  const manifest = JSON.parse(readFileSync(`${pkgDir}/package.json`, "utf8"));
  const { messages } = await publint({ pkgDir, strict: true, pack: false });
  for (const message of messages) complain(manifest.name, formatMessage(message, manifest));

  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: pkgDir,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }] = JSON.parse(packed);
  const paths = files.map(({ path }) => path);
  for (const path of paths) {
    if (/\.test\.|test-models|test-data|fixtures|tsbuildinfo/.test(path))
      complain(manifest.name, `${path} would be published`);
  }
  for (const part of ["src/", "dist/", "LICENSE"]) {
    if (!paths.some((path) => path.startsWith(part)))
      complain(manifest.name, `${part} would not be published`);
  }
  for (const key of ["description", "license", "engines", "keywords", "exports", "sideEffects"]) {
    if (!(key in manifest) && !(key === "exports" && "bin" in manifest))
      complain(manifest.name, `package.json has no ${key}`);
  }
}
console.log(wrong === 0 ? "Four packages are in shape." : `${wrong} things are wrong.`);
process.exit(wrong === 0 ? 0 : 1);
