// What rules rewrite means what it meant: a few nodes of a real model, changed as exporters differ from each other, run in
// onnxruntime as they are and as Pare simplifies, converts and compiles them. Rules are right on what they were written for;
// this is what they were not written for.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { knownModels } from "../known-models.mjs";
import { scratch } from "../shell.mjs";
import { WatchedChild } from "./support/watched-child.mjs";

/** Two processes keep two cores busy. */
const workers = 2;
/** A model may make the engine ask for all memory that there is. */
const limits = { limitMs: 60_000, limitBytes: 3 * 2 ** 30 };
/** After so many a process is replaced. */
const lifetime = 2000;

/** `PARE_WINDOWS=first:count` takes other ones: a shard of many, kept in a file of its own. */
const [first, count] = (process.env.PARE_WINDOWS ?? "0:12000").split(":").map(Number);
export const part =
  process.env.PARE_WINDOWS === undefined ? undefined : `${first}-to-${first + count - 1}`;

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    const list = join(folder, "models.json");
    writeFileSync(list, JSON.stringify(models.map(({ path }) => path)));
    const tally = new Map();
    const wrong = [];
    const looked = [];
    let next = first;
    const work = async () => {
      const place = mkdtempSync(join(folder, "worker-"));
      const child = new WatchedChild(
        () => ({
          file: fileURLToPath(new URL("support/windows/child.mjs", import.meta.url)),
          args: [list, place],
          env: process.env,
        }),
        limits,
      );
      for (let done = 1; next < first + count; done += 1) {
        const number = next++;
        const answer = await child.ask(number);
        const isEnded = answer.outcome === "finding";
        const by = isEnded ? readFileSync(join(place, "at-work"), "utf8") : null;
        // Of a model that ends the engine by itself nothing is asked.
        const outcome = isEnded ? (by === "pare" ? "failed" : "skipped") : answer.outcome;
        const key = answer.code ?? (answer.compiled ? "same, and compiled" : outcome);
        tally.set(key, (tally.get(key) ?? 0) + 1);
        if (/different|broken|failed/.test(outcome)) wrong.push({ number, ...answer, outcome });
        if (/undone|far$/.test(outcome)) looked.push({ number, ...answer, outcome });
        if (done % lifetime === 0) child.replace();
        if (number % 1000 === 999) console.error(`  ${number + 1 - first} of ${count}`);
      }
      child.replace();
    };
    await Promise.all(Array.from({ length: workers }, work));

    for (const { number, outcome, seed, changes, nodes, what } of [...wrong, ...looked])
      console.error(
        `  window ${number}: ${outcome} (${seed})\n    ${nodes}\n    ${changes?.join("; ")}\n    ${what}`,
      );
    inform("models that windows are cut from", {
      value: models.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
    for (const [outcome, times] of [...tally].sort(([, a], [, b]) => b - a))
      inform(`windows: ${outcome}`, { value: times, n: count });
    const compared = ["same", "same, and compiled"]
      .map((key) => tally.get(key) ?? 0)
      .reduce((sum, times) => sum + times, wrong.length + looked.length);
    for (const [what, pattern] of [
      ["files and modules that answer otherwise", /different/],
      ["files that the engine took, and not what Pare made of them", /broken/],
      ["errors that are Pare's own fault", /failed/],
    ]) {
      const found = wrong.filter(({ outcome }) => pattern.test(outcome));
      claim(what, {
        value: found.length,
        bound: 0,
        n: compared,
        met: found.length === 0,
        ...(found.length > 0 && {
          note: `windows ${found
            .map(({ number }) => number)
            .slice(0, 20)
            .join(", ")}`,
        }),
      });
    }
  });
}
