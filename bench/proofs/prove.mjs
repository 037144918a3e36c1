// npm run prove -- <issue>.<item>: what was promised, as value, bound, n and interval. Exits 1 when it is missed.
import { readdirSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const folder = new URL("./", import.meta.url);
const root = fileURLToPath(new URL("../../", folder));
const known = readdirSync(folder)
  .map((name) => /^(\d+\.\d+)-.*\.mjs$/.exec(name))
  .filter((match) => match !== null);
const wanted = process.argv.slice(2);
if (wanted.length === 0) {
  console.log("Give one or more of:");
  for (const [file, id] of known)
    console.log(`  ${id}  ${file.slice(id.length + 1, -4).replaceAll("-", " ")}`);
  process.exit(2);
}

let missed = 0;
for (const id of wanted) {
  const match = known.find(([, name]) => name === id);
  if (match === undefined) {
    console.error(`There is no proof ${id}. Known: ${known.map(([, name]) => name).join(", ")}.`);
    process.exit(2);
  }
  const { prove } = await import(new URL(match[0], folder));
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
  console.log(`# ${id} ${match[0].slice(id.length + 1, -4).replaceAll("-", " ")}`);
  try {
    await prove({ claim, root });
  } catch (error) {
    claim("ran to its end", {
      value: error instanceof Error ? error.message : String(error),
      bound: "no error",
      met: false,
    });
    console.error(error);
  }
  const measured = new URL("../../docs/measured/", folder);
  mkdirSync(measured, { recursive: true });
  writeFileSync(
    new URL(`${id}.json`, measured),
    `${JSON.stringify({ proof: id, date: new Date().toISOString().slice(0, 10), node: process.version, rows }, null, 2)}\n`,
  );
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
