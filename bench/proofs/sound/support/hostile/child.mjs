// A process that takes mutants by number. What it may read and write is given on its command line by Node's permission
// model: another place is refused by Node, and found in what is thrown.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { consume, isFinding } from "./consume.mjs";
import { writeMutant, writeSeed } from "./mutant.mjs";
import { modelSeeds } from "./seeds.mjs";

const [root, others, place] = process.argv.slice(2);
const models = modelSeeds(root);
process.chdir(place);

process.on("message", (request) => void reply(request));
process.on("disconnect", () => process.exit());
process.send({ ready: true });

async function reply(request) {
  process.send(await answer(request));
}

/** @param request a mutant's number, or `{ kind, number }` for a seed as it is */
async function answer(request) {
  const folder = join(place, "mutant");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const mutant =
    typeof request === "number"
      ? await writeMutant(request, models, others, folder)
      : await writeSeed(request.kind, request.number, models, others, folder);
  const named = { kind: mutant.kind, seed: mutant.seed };
  try {
    const made = await consume(mutant, others, folder);
    if (made === null) return { ...named, outcome: "taken" };
    const written = join(folder, "written.onnx");
    writeFileSync(written, made.bytes);
    const { answers } = made;
    return { ...named, outcome: "taken", original: mutant.path, written, answers };
  } catch (error) {
    const outside = deniedBy(error);
    if (outside !== null) return { ...named, outcome: "finding", what: `outside: ${outside}` };
    if (isFinding(error))
      return { ...named, outcome: "finding", what: String(error?.stack ?? error).slice(0, 1500) };
    return { ...named, outcome: "refused", code: error.code };
  }
}

function deniedBy(error) {
  for (let at = error, depth = 0; at && depth < 10; at = at.cause, depth += 1)
    if (at.code === "ERR_ACCESS_DENIED") return `${at.permission} ${at.resource}`;
  return null;
}
