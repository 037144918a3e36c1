// docs/measured/aot/measured.md: what the proofs of this area measured last, as tables. `npm run prove -- aot` writes it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const page = "docs/measured/aot/measured.md";

/** `kws-dscnn, Node 20.20.2, SIMD: onnxruntime-web over the module`, with both times in its note. */
const compared = /^(?<model>.+?), (?<place>.+): onnxruntime-web over the module$/;
const times = /^([\d.e+-]+) and ([\d.e+-]+) ms/;
const integerTimes = /^(\S+) ms; the engine's floats (\S+), its integers ([^;\s]+)/;
/** `minilm is not compiled`, and why. */
const refused = /^(?<model>.+) is not compiled$/;

/** @param {string} root of the repository */
export function measuredPage(root) {
  const folder = join(root, "docs/measured/aot");
  const proofs = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  const rows = proofs.flatMap((proof) => proof.rows.map((row) => ({ ...row, proof })));
  const parts = [
    "# Modules, measured",
    `What \`npm run prove -- aot\` measured last, which also writes this page; every row with its numbers lies in the JSON
files beside it. A module and onnxruntime-web run the same model in one process on one thread, in turns; the ratio is of
medians, and above 1 the module is the faster one.`,
    ...comparisons(rows),
    "## Promises",
    "Bold is what missed its bound.",
    ...proofs.map(promises),
    notCompiled(rows),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** The faster of what the engine takes for floats and for integers is what a module of integers is held against. */
function ofIntegers(note) {
  const [, own, floats, integers] = integerTimes.exec(note) ?? [];
  return own === undefined
    ? []
    : [own, own, Number(floats) <= Number(integers) ? floats : integers];
}

/** Where it makes a difference to integers, whether it has an instruction for them is part of a processor's name. */
function machine({ processor }) {
  const [name] = processor.split(",");
  return processor.includes("AVX2") && !processor.includes("VNNI") ? `${name} without VNNI` : name;
}

/** A table for each place; slowest gain last, so that losses are seen. */
function comparisons(rows) {
  const places = new Map();
  for (const { name, value, note, proof } of rows) {
    const { model, place } = compared.exec(name)?.groups ?? {};
    if (model === undefined) continue;
    const [, own, engine] = times.exec(note ?? "") ?? ofIntegers(note ?? "");
    const key = `${place}, on ${machine(proof)} (${proof.date})`;
    places.set(key, [...(places.get(key) ?? []), { model, value, own, engine }]);
  }
  return [...places].flatMap(([place, found]) => [
    `## ${place}`,
    table(
      ["model", "module, ms", "engine, ms", "the module is so many times as fast"],
      found
        .toSorted((one, two) => two.value - one.value)
        .map(({ model, value, own, engine }) => [
          model,
          own ?? "",
          engine ?? "",
          value < 1 ? `**${shown(value)}**` : shown(value),
        ]),
    ),
  ]);
}

function promises(record) {
  const { proof, date, rows } = record;
  const claims = rows.filter(({ met }) => met !== undefined);
  const missed = claims.filter(({ met }) => !met).length;
  return [
    `### ${proof}, on ${machine(record)}, ${date}: ${claims.length - missed} of ${claims.length}`,
    table(
      ["promise", "measured", "bound"],
      claims.map(({ name, value, bound, met }) => [
        name,
        met ? shown(value) : `**${shown(value)}**`,
        shown(bound),
      ]),
    ),
  ].join("\n\n");
}

function notCompiled(rows) {
  const found = rows.flatMap(({ name, value }) => {
    const { model } = refused.exec(name)?.groups ?? {};
    return model === undefined ? [] : [[model, value]];
  });
  return found.length === 0
    ? ""
    : ["## Not compiled, and why", table(["model", "reasons"], found)].join("\n\n");
}

function shown(value) {
  if (typeof value === "number") return String(Number(value.toPrecision(3)));
  return Array.isArray(value) ? value.map(shown).join(", ") : String(value);
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
