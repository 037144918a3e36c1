// What pruning and distilling are worth for fixtures that can be taught: bytes, accuracy and latency next to the float
// model and to rounding its weights alone. The table is written to docs/measured/training/what-it-pays.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../shell.mjs";
import { accuracies, latencies, models, targets } from "./support/small-files.mjs";

/** Points of accuracy that what was taught may lose. */
const mostDrop = 0.01;

/** In a folder of `PARE_MADE` files, accuracies and latencies are kept, and taken from there. */
export async function prove(proof) {
  const folder = process.env.PARE_MADE;
  if (folder === undefined) return scratch((made) => proveIn(proof, made));
  mkdirSync(folder, { recursive: true });
  return proveIn(proof, folder);
}

async function proveIn({ claim, inform, root }, folder) {
  const lines = [];
  let environment = {};
  for (const model of models) {
    const tested = await accuracies(root, folder, model);
    const timed = new Map();
    for (const target of targets) {
      const report = await latencies(root, folder, model, target);
      environment = { ...environment, ...report.environment };
      timed.set(target, report);
    }
    const { baseline: float } = tested.variants[0];
    lines.push(
      cells([
        model.title,
        "float",
        kilobytes(float.sizeBytes.brotli),
        accuracyText(float.accuracy),
        "",
        ...targets.map(
          (target) => `1 (${shown(timed.get(target).variants[0].baseline.latencyMs.p50)} ms)`,
        ),
      ]),
    );
    for (const [index, { what, name }] of model.files.entries()) {
      const { sizeBytes, accuracy } = tested.variants[index];
      const ratios = targets.map((target) => timed.get(target).variants[index].latencyMs);
      const label = `${model.title}, ${what}`;
      if (name === "pruned" || name === "distilled")
        claim(`${label}: drop on the test samples`, {
          value: accuracy.drop,
          bound: mostDrop,
          n: accuracy.n,
          interval: accuracy.dropInterval,
          met: accuracy.drop <= mostDrop,
          note: `${accuracyText(accuracy)}; ${accuracyText(float.accuracy)} as it came`,
        });
      inform(`${label}: brotli bytes over the float model's`, {
        value: sizeBytes.brotli / float.sizeBytes.brotli,
      });
      inform(`${label}: latency over the float model's, ${targets.join(" and ")}`, {
        value: ratios.map(({ ratio }) => ratio),
        interval: ratios.map(({ ratioInterval }) => ratioInterval),
      });
      lines.push(
        cells([
          model.title,
          what,
          kilobytes(sizeBytes.brotli),
          accuracyText(accuracy),
          `${shown(accuracy.drop, 4)} ${range(accuracy.dropInterval, 4)}`,
          ...ratios.map(({ ratio, ratioInterval }) => `${shown(ratio)} ${range(ratioInterval)}`),
        ]),
      );
    }
  }
  const engines = targets.map((target) => environment[target]);
  const made = [environment.processor, environment.instructions, ...engines].filter(Boolean);
  writeFileSync(join(root, "docs/measured/training/what-it-pays.md"), page(lines, made.join("; ")));
}

function page(lines, made) {
  const commands = models.flatMap(({ title, files }) =>
    files.map(({ what, args }) => `- ${title}, ${what}: \`pare ${args.join(" ")}\``),
  );
  return `# What pruning and distilling pay

\`npm run prove -- training/what-it-pays\` writes this page: ${made}. Download is after brotli. Latency is over the float
model's, interleaved, with its 99 % interval; drop is of the metric on the test samples, with its 95 % interval.

| model | what | download | test | drop | cpu × | wasm × |
| --- | --- | --: | --: | --: | --: | --: |
${lines.join("\n")}

How each was made, FLOAT being the fixture and DATA its samples with those that teach:

${commands.join("\n")}
`;
}

const cells = (all) => `| ${all.join(" | ")} |`;
const kilobytes = (value) => `${Math.round(value / 1000)} kB`;
const shown = (value, places = 2) => (value === null ? "–" : value.toFixed(places));
const range = (interval, places = 2) =>
  interval === null ? "" : `[${interval.map((value) => shown(value, places)).join(", ")}]`;
const accuracyText = ({ metric, value, n }) => `${metric} ${value.toFixed(4)} (n ${n})`;
