// node run-one.mjs <number>: one mutant of the proof by hand, with all that it throws.
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { consume } from "./consume.mjs";
import { writeMutant } from "./mutant.mjs";
import { modelSeeds, writeOtherSeeds } from "./seeds.mjs";

const root = fileURLToPath(new URL("../../../../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pare-mutant-"));
const place = join(folder, "mutant");
mkdirSync(place);
await writeOtherSeeds(root, join(folder, "seeds"));
for (const number of process.argv.slice(2).map(Number)) {
  const mutant = await writeMutant(number, modelSeeds(root), join(folder, "seeds"), place);
  console.log(number, mutant.kind, mutant.seed, mutant.path);
  const start = performance.now();
  await consume(mutant, join(folder, "seeds"), place).then(
    () => console.log("taken"),
    (error) => console.log(error),
  );
  console.log(`${Math.round(performance.now() - start)} ms`);
}
