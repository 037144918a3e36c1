// Mutants of every file that Pare reads: no hang, no crash, no error that is not one of Pare's own, nothing read or written
// outside, what is written of a model loads where the model did, and what it is compiled to answers as the engine does.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pare, scratch } from "../shell.mjs";
import { kinds } from "./support/hostile/mutant.mjs";
import { WatchedChild } from "./support/watched-child.mjs";
import { modelSeeds, writeOtherSeeds } from "./support/hostile/seeds.mjs";

const at = (name) => fileURLToPath(new URL(`support/hostile/${name}`, import.meta.url));
/** Two processes of mutants keep two cores busy. */
const workers = 2;
/** After so many a process is replaced: what it gathered is not a mutant's. */
const lifetime = 400;
const limits = { limitMs: 10_000, limitBytes: 2 ** 30 };

/** Of each kind. */
const seedTries = 8;

/** `PARE_MUTANTS=first:count` takes other ones: a shard of many, kept in a file of its own. */
const [first, count] = (process.env.PARE_MUTANTS ?? "0:10000").split(":").map(Number);
export const part =
  process.env.PARE_MUTANTS === undefined ? undefined : `${first}-to-${first + count - 1}`;

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const others = join(folder, "seeds");
    await writeOtherSeeds(root, others);
    const tallies = new Map(kinds.map((kind) => [kind, { taken: 0, refused: 0 }]));
    const codes = new Map();
    const findings = [];
    const broken = [];
    const different = [];
    let [loaded, compiled, answered] = [0, 0, 0];
    let next = first;
    const work = async () => {
      const place = mkdtempSync(join(folder, "worker-"));
      mkdirSync(join(place, "tmp"));
      const child = new WatchedChild(() => consumer(root, others, place), limits);
      const engine = new WatchedChild(
        () => ({ file: at("engine-child.mjs"), serialization: "advanced", env: process.env }),
        limits,
      );
      for (let done = 1; next < first + count; done += 1) {
        const number = next++;
        const answer = await child.ask(number);
        if (answer.outcome === "finding") findings.push({ number, ...answer });
        else tallies.get(answer.kind)[answer.outcome] += 1;
        if (answer.code !== undefined) codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
        if (answer.written !== undefined) {
          const { broke, compared, differs } = await engine.ask(answer);
          loaded += 1;
          if (answer.answers) compiled += 1;
          if (compared) answered += 1;
          if (differs) different.push({ number, seed: answer.seed, differs });
          if (broke) {
            const original = join(folder, `broken-${number}.onnx`);
            copyFileSync(answer.original, original);
            broken.push({ number, seed: answer.seed, broke, original });
          }
        }
        if (done % lifetime === 0) child.replace();
        if (number % 1000 === 999) console.error(`  ${number + 1 - first} of ${count}`);
      }
      child.replace();
      engine.replace();
    };
    const unchanged = await seedsAsTheyAre(root, others, folder);
    claim("seeds that are refused as they are", {
      value: unchanged.length,
      bound: 0,
      n: kinds.length * seedTries,
      met: unchanged.length === 0,
      ...(unchanged.length > 0 && { note: unchanged.slice(0, 5).join("; ") }),
    });
    await Promise.all(Array.from({ length: workers }, work));

    for (const { number, kind, seed, what } of findings)
      console.error(`  mutant ${number} (${kind ?? "?"}, ${seed ?? "?"}): ${what}`);
    for (const { number, seed, broke } of broken)
      console.error(
        `  mutant ${number} (${seed}): the engine took it, and refuses what was written: ${broke}`,
      );
    for (const { number, seed, differs } of different)
      console.error(`  mutant ${number} (${seed}): the module answers otherwise: ${differs}`);
    inform("seeds of models", { value: modelSeeds(root).size });
    for (const [kind, { taken, refused }] of tallies)
      inform(`${kind}: taken and refused`, {
        value: `${taken} and ${refused}`,
        n: taken + refused,
      });
    inform("refusals by code", {
      value: [...codes]
        .sort(([, a], [, b]) => b - a)
        .map(([code, times]) => `${code} ${times}`)
        .join(", "),
      n: [...codes.values()].reduce((sum, times) => sum + times, 0),
    });
    const named = (list) =>
      list.length === 0
        ? undefined
        : `mutants ${list
            .map(({ number }) => number)
            .slice(0, 20)
            .join(", ")}`;
    for (const [what, pattern] of [
      ["hangs of more than 10 s", /^hang/],
      ["more than 1 GB resident", /^memory/],
      ["crashes", /^crash/],
      ["files read or written outside", /^outside/],
      [
        "errors that are not Pare's own, INTERNAL and PASS_FAILED",
        /^(?!hang|memory|crash|outside)/,
      ],
    ]) {
      const found = findings.filter((finding) => pattern.test(finding.what));
      claim(what, {
        value: found.length,
        bound: 0,
        n: count,
        met: found.length === 0,
        note: named(found),
      });
    }
    inform("models that became modules", { value: compiled, n: loaded });
    claim("modules that answer otherwise than the engine", {
      value: different.length,
      bound: 0,
      n: answered,
      met: different.length === 0,
      note: named(different),
    });
    // A file that means nothing may become one that an engine sees through. `pare simplify` asks it before it writes.
    const written = [];
    for (const { number, original } of broken) {
      const out = `${original}.out.onnx`;
      const { code } = await pare(root, ["simplify", original, "-o", out]);
      if (code === 0 || existsSync(out)) written.push({ number });
    }
    claim(
      "models that the engine took, and that were written though it refuses what was made of them",
      {
        value: written.length,
        bound: 0,
        n: loaded,
        met: written.length === 0,
        note: named(written) ?? `${broken.length} were refused before they were written`,
      },
    );
  });
}

/** A kind whose seeds are refused would let every mutant pass. The models that broke something once are refused, too. */
async function seedsAsTheyAre(root, others, folder) {
  const place = mkdtempSync(join(folder, "worker-"));
  mkdirSync(join(place, "tmp"));
  const child = new WatchedChild(() => consumer(root, others, place), limits);
  const refused = [];
  for (const kind of kinds) {
    for (let number = 0; number < seedTries; number += 1) {
      const { outcome, seed, code, what } = await child.ask({ kind, number });
      if (outcome !== "taken" && !seed?.includes("hostile/"))
        refused.push(`${kind} ${seed}: ${code ?? what}`);
    }
  }
  child.replace();
  return refused;
}

function consumer(root, others, place) {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  const readable = [join(root, "*"), join(others, "*"), join(place, "*")];
  return {
    file: at("child.mjs"),
    serialization: "advanced",
    args: [root, others, place],
    execArgv: [
      "--no-warnings",
      "--max-old-space-size=800",
      flag,
      "--allow-addons",
      "--allow-worker",
      ...readable.map((path) => `--allow-fs-read=${path}`),
      `--allow-fs-write=${join(place, "*")}`,
    ],
    env: { ...process.env, TMPDIR: join(place, "tmp"), XDG_CACHE_HOME: join(place, "tmp") },
  };
}
