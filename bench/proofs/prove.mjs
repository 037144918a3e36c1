// npm run prove -- <area> or <area>/<what>: what was promised, as value, bound, n and interval. Exits 1 when it is missed.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { instructionSets, processorText } from "../../cli/dist/workbench/processor.js";

const folder = new URL("./", import.meta.url);
const root = fileURLToPath(new URL("../../", folder));
/** A proof is a module with `prove`, one file a promise: `house/the-choice-is-right`. */
const known = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: area }) =>
    readdirSync(new URL(`${area}/`, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".mjs"))
      .map(({ name }) => `${area}/${name.slice(0, -4)}`),
  )
  .sort();
const wanted = process.argv.slice(2);
const proofs = (id) => known.filter((name) => name === id || name.startsWith(`${id}/`));
const unknown = wanted.find((id) => proofs(id).length === 0);
if (wanted.length === 0 || unknown !== undefined) {
  if (unknown !== undefined) console.error(`There is no proof ${unknown}.`);
  console.error(`Give an area, or one of its proofs:\n${known.map((id) => `  ${id}`).join("\n")}`);
  process.exit(2);
}

let missed = 0;
for (const id of wanted.flatMap(proofs)) {
  const { prove, part } = await import(new URL(`${id}.mjs`, folder));
  const rows = [];
  /** One promise: `met` decides; value, bound, n and interval say by how much. */
  const claim = (name, { value, bound, n = 1, interval = null, met, note }) => {
    [value, bound, note] = [value, bound, note].map(withoutPlaces);
    const row = { name, value, bound, n, interval, met, ...(note === undefined ? {} : { note }) };
    rows.push(row);
    console.log(
      `${met ? "met   " : "MISSED"} ${name}: ${show(value)} (bound ${show(bound)}, n ${n}${interval === null ? "" : `, interval ${show(interval)}`})${note === undefined ? "" : `, ${note}`}`,
    );
    if (!met) missed += 1;
  };
  /** A number that a reader wants beside the promises, and that promises nothing: it is counted as neither. */
  const inform = (name, { value, n = 1, interval = null, note }) => {
    [value, note] = [value, note].map(withoutPlaces);
    const row = { name, value, n, interval, ...(note === undefined ? {} : { note }) };
    rows.push(row);
    console.log(
      `       ${name}: ${show(value)} (n ${n}${interval === null ? "" : `, interval ${show(interval)}`})${note === undefined ? "" : `, ${note}`}`,
    );
  };
  console.log(`# ${id}`);
  try {
    await prove({ claim, inform, root });
  } catch (error) {
    claim("ran to its end", {
      value: error instanceof Error ? error.message : String(error),
      bound: "no error",
      met: false,
    });
    console.error(error);
  }
  const claims = rows.filter(({ met }) => met !== undefined);
  if (claims.length === 0) {
    console.log("MISSED nothing was claimed");
    missed += 1;
  }
  console.log(`${claims.filter(({ met }) => met).length} of ${claims.length} claims met`);
  // What is proved in parts is kept in as many files.
  const file = new URL(
    `../../docs/measured/${id}${part === undefined ? "" : `-${part}`}.json`,
    folder,
  );
  mkdirSync(new URL("./", file), { recursive: true });
  const about = {
    proof: id,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    processor: [processorText(), ...(instructionSets() ?? [])].join(", "),
  };
  writeFileSync(file, `${JSON.stringify({ ...about, rows }, null, 2)}\n`);
  await writePage(id.split("/")[0]);
}
process.exit(missed > 0 ? 1 : 0);

/** Where this machine keeps things says nothing to a reader. */
function withoutPlaces(value) {
  if (typeof value !== "string") return value;
  return value.replaceAll(root, "").replaceAll(`${tmpdir()}/`, "");
}

function show(value) {
  if (typeof value === "number") return String(Number(value.toPrecision(5)));
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  return String(value);
}

/** Of an area that has one: a page of all that its proofs measured last. */
async function writePage(area) {
  const writer = new URL(`${area}/support/page.mjs`, folder);
  if (!existsSync(writer)) return;
  const { page, measuredPage } = await import(writer);
  writeFileSync(join(root, page), measuredPage(root));
}
