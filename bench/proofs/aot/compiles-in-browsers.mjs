import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../../../docs/examples/compile-in-a-tab/src/compile.js";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";
import { sizesOf } from "./support/compiled.mjs";
import { promised } from "./support/promised.mjs";
import { saidBy, writePage } from "../support/browsers/said-by.mjs";

const page = fileURLToPath(new URL("./support/compiling-page.js", import.meta.url));
/** The example takes no constants, and this model needs one. */
const models = promised.filter((name) => name !== "silero-vad-v5");

// The compiler in a browser's tab, as its example has it: every engine's JavaScript makes Node's bytes.
export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const { models: known } = await knownModels(root, folder);
    const site = join(folder, "site");
    mkdirSync(site);
    await writePage(page, site);
    const [asked, expected] = [[], new Map()];
    for (const [at, name] of models.entries()) {
      const { path } = known.find((one) => one.name === name);
      const [file, sizes] = [`${at}.onnx`, sizesOf(name)];
      copyFileSync(path, join(site, file));
      asked.push({ name, file, sizes });
      const { files } = await compile(
        file,
        new Map([[file, new Uint8Array(readFileSync(path))]]),
        sizes,
      );
      expected.set(
        name,
        [...files.keys()].filter((each) => each.startsWith("variants/")),
      );
    }
    writeFileSync(join(site, "models.json"), JSON.stringify(asked));
    for await (const { where, rows, error } of saidBy(site, inform)) {
      const same = models.filter(
        (name) => rows.find((row) => row.name === name)?.files.join() === expected.get(name).join(),
      );
      const others = models.filter((name) => !same.includes(name));
      claim(`${where}: models that are compiled to Node's bytes`, {
        value: same.length,
        bound: models.length,
        n: models.length,
        met: same.length === models.length,
        note: [error, ...others].filter(Boolean).join(", ") || undefined,
      });
    }
  });
}
