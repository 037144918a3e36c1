// node bench/proofs/house/support/worth-its-time-table.mjs: what the worth-its-time proofs measured last, as one table.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { models } from "./models.mjs";

const folder = fileURLToPath(new URL("../../../../docs/measured/house/", import.meta.url));

/** Columns, and the row of a proof that each shows. */
const columns = [
  ["seconds", (name) => `${name}: seconds, its bundle written`],
  ["over the estimate", (name) => `${name}: actual over estimated time`],
  ["cpu: first in hand", (name) => `${name}, cpu: something compressed in hand`],
  ["wasm: first in hand", (name) => `${name}, wasm: something compressed in hand`],
  ["cpu: next to exhaustive", (name) => `${name}, cpu: latency over`],
  ["wasm: next to exhaustive", (name) => `${name}, wasm: latency over`],
  ["repeated", (name) => `${name}: the finished plan once more`],
  ["resumed", (name) => `${name}: interrupted after half`],
];

const measured = Object.keys(models).map((name) => {
  const file = `${folder}worth-its-time-${name}.json`;
  if (!existsSync(file)) return [name, ...columns.map(() => "not measured")];
  const { rows } = JSON.parse(readFileSync(file, "utf8"));
  return [
    name,
    ...columns.map(([, starts]) => cell(rows.find((row) => row.name.startsWith(starts(name))))),
  ];
});

function cell(row) {
  if (row === undefined) return "–";
  const value = typeof row.value === "number" ? Number(row.value.toPrecision(3)) : row.value;
  return row.met ? String(value) : `**${value}** (${row.bound})`;
}

const line = (cells) => `| ${cells.join(" | ")} |`;
writeFileSync(
  `${folder}worth-its-time.md`,
  `# Is the search worth its time?

\`optimize\` by all defaults for cpu and wasm on two quiet cores, by \`npm run prove -- house/worth-its-time-<model>\`; this
table is written by \`node bench/proofs/house/support/worth-its-time-table.mjs\`. Seconds are of the whole command; the first
accepted, compressed candidate is in hand after the given share of what a search may take: two minutes, or what the plan
says where that is more. "Next to exhaustive" is the latency of
what was chosen over that of what a search without limit chose (whose locks and reports are in \`exhaustive/\`), 1 where it
is the same file. "Repeated" is the same command once more, with the cache, when nothing was left untried; "resumed" is one
that was interrupted after half and run again, both together, of searches under a minute several times; both are shares of
the first. Bold is what missed its bound; – was not run (\`PARE_FIRST_RUN=1\`).
Each row is one run, of the search as it was then; machines of this kind differ by a third from day to day, so compare shares
and not seconds.

${[line(["model", ...columns.map(([title]) => title)]), line(["---", ...columns.map(() => "---:")]), ...measured.map(line)].join("\n")}
`,
);
