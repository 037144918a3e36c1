// What pruning and distilling are worth for a fixture that can be taught: bytes, accuracy and latency next to the float
// model and to rounding its weights alone. The table is written beside the proof's rows.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../../shell.mjs";
import { accuracies, latencies, models, targets } from "./small-files.mjs";

/** Points of accuracy that what was taught may lose. */
const mostDrop = 0.01;

/**
 * In a folder of `PARE_MADE` files, accuracies and latencies are kept, and taken from there.
 *
 * @param {string} id of the proof
 * @param {string} name the fixture's
 */
export async function paysOff(id, name, proof) {
  const model = models.find((one) => one.name === name);
  const folder = process.env.PARE_MADE;
  if (folder === undefined) return scratch((made) => paysIn(id, model, proof, made));
  mkdirSync(folder, { recursive: true });
  return paysIn(id, model, proof, folder);
}

async function paysIn(id, model, { claim, inform, root }, folder) {
  const tested = await accuracies(root, folder, model);
  const timed = new Map();
  let environment = {};
  for (const target of targets) {
    const report = await latencies(root, folder, model, target);
    environment = { ...environment, ...report.environment };
    timed.set(target, report.variants);
  }
  const { baseline: float } = tested.variants[0];
  const lines = [
    cells([
      "float",
      kilobytes(float.sizeBytes.brotli),
      accuracyText(float.accuracy),
      "",
      ...targets.map((target) => `1 (${shown(timed.get(target)[0].baseline.latencyMs.p50)} ms)`),
    ]),
  ];
  for (const [index, { what, name }] of model.files.entries()) {
    const { sizeBytes, accuracy } = tested.variants[index];
    const ratios = targets.map((target) => timed.get(target)[index].latencyMs);
    if (name !== "rounded")
      claim(`${what}: drop on the test samples`, {
        value: accuracy.drop,
        bound: mostDrop,
        n: accuracy.n,
        interval: accuracy.dropInterval,
        met: accuracy.drop <= mostDrop,
        note: `${accuracyText(accuracy)}; ${accuracyText(float.accuracy)} as it came`,
      });
    inform(`${what}: brotli bytes over the float model's`, {
      value: sizeBytes.brotli / float.sizeBytes.brotli,
    });
    inform(`${what}: latency over the float model's, ${targets.join(" and ")}`, {
      value: ratios.map(({ ratio }) => ratio),
      interval: ratios.map(({ ratioInterval }) => ratioInterval),
    });
    lines.push(
      cells([
        what,
        kilobytes(sizeBytes.brotli),
        accuracyText(accuracy),
        `${shown(accuracy.drop, 4)} ${range(accuracy.dropInterval, 4)}`,
        ...ratios.map(({ ratio, ratioInterval }) => `${shown(ratio)} ${range(ratioInterval)}`),
      ]),
    );
  }
  const engines = targets.map((target) => environment[target]);
  const made = [environment.processor, environment.instructions, ...engines].filter(Boolean);
  const file = join(root, `docs/measured/${id}.md`);
  writeFileSync(file, page(id, model, lines, made.join("; ")));
}

function page(id, { title, files }, lines, made) {
  const commands = files.map(({ what, args }) => `- ${what}: \`pare ${args.join(" ")}\``);
  return `# What pruning and distilling pay: ${title}

\`npm run prove -- ${id}\` writes this page: ${made}. Download is after brotli. Latency is over the float
model's, interleaved, with its 99 % interval; drop is of the metric on the test samples, with its 95 % interval.

| what | download | test | drop | cpu × | wasm × |
| --- | --: | --: | --: | --: | --: |
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
