// Writes one bundle and another one into a folder in turn, until it is killed: node write-for-ever.mjs <folder> <bundle>…
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { folderSink } from "../../../../cli/dist/platform/write-bundle.js";

const [folder, ...bundles] = process.argv.slice(2);
const versions = bundles.map((bundle) => {
  const paths = readdirSync(bundle, { recursive: true }).filter((path) =>
    statSync(join(bundle, path)).isFile(),
  );
  // As the compiler gives them: the manifest last.
  paths.sort((a, b) => Number(a === "manifest.json") - Number(b === "manifest.json"));
  return new Map(paths.map((path) => [path, readFileSync(join(bundle, path))]));
});
const sink = folderSink(folder);
process.stdout.write("ready\n");
for (let turn = 0; ; turn += 1) await sink.write(versions[turn % versions.length]);
