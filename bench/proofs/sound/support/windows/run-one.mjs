// node run-one.mjs <number> …: windows of the proof by hand, each written to a file beside what is said of it.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { knownModels } from "../../../known-models.mjs";
import { compareWindow } from "./compare.mjs";
import { Windows } from "./windows.mjs";

const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pare-windows-"));
const { models } = await knownModels(root, folder);
const windows = new Windows(models.map(({ path }) => path));
for (const number of process.argv.slice(2).map(Number)) {
  const window = await windows.at(number);
  if (window === null) {
    console.log(number, "is no window");
    continue;
  }
  const { model, bytes, seed, changes, nodes } = window;
  const file = join(folder, `${number}.onnx`);
  writeFileSync(file, bytes);
  console.log(number, file, seed, changes, nodes);
  console.log(await compareWindow(model, bytes, number, () => {}));
}
