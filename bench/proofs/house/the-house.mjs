import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run, scratch } from "../shell.mjs";
import { applyCapability } from "./support/apply-capability.mjs";
import { copyRepository } from "./support/scratch-copy.mjs";

const packages = ["runtime/src", "compiler/src", "bench/src", "cli/src"];
const capabilities = ["pruning", "deep-quantization"];
const mostFiles = 3;
const mostLines = 15;
/** A registration is an import, or a row of a table: nothing that is done. */
const statement =
  /^\s*(export\s+)?(async\s+)?(function|class|if|for|while|do|return|let|switch|throw|await)\b/;

/** Each breaks one arrow; `by` is in what `npm run deps` says of it. */
const faults = [
  {
    name: "an import of a room above",
    files: { "compiler/src/ir/fault.ts": 'export { simplify } from "../passes/simplify.js";\n' },
    by: "compiler/src: ir imports nothing above it",
  },
  {
    name: "a pass that imports the search",
    files: {
      "compiler/src/passes/fault.ts": 'export { optimize } from "../search/optimize.js";\n',
    },
    by: "compiler/src: passes imports nothing above it",
  },
  {
    name: "the workbench importing a verb",
    files: { "cli/src/workbench/fault.ts": 'export { verbs } from "../verbs/verbs.js";\n' },
    by: "cli/src: workbench imports nothing above it",
  },
  {
    name: "the compiler importing an engine",
    files: {
      "compiler/src/search/fault.ts": 'export { InferenceSession } from "onnxruntime-node";\n',
    },
    by: "compiler-imports-no-engine-and-nothing-of-node",
  },
  {
    name: "a circle of two files",
    files: {
      "compiler/src/prune/one.ts": 'import type { B } from "./other.js";\nexport type A = B | 1;\n',
      "compiler/src/prune/other.ts": 'import type { A } from "./one.js";\nexport type B = A | 2;\n',
    },
    by: "no-circle-of-files",
  },
  {
    name: "a circle of two folders, of no two files",
    files: {
      "compiler/src/prune/one/a.ts": 'export { c } from "../other/c.js";\n',
      "compiler/src/prune/one/b.ts": "export const b = 1;\n",
      "compiler/src/prune/other/c.ts": "export const c = 1;\n",
      "compiler/src/prune/other/d.ts": 'export { b } from "../one/b.js";\n',
    },
    by: "no circle in compiler/src/prune: ",
  },
  {
    name: "a circle of a folder and a file beside it, of no two files",
    files: {
      "compiler/src/prune/part/a.ts": 'export { b } from "../beside.js";\n',
      "compiler/src/prune/part/b.ts": "export const b = 1;\n",
      "compiler/src/prune/beside.ts": 'export { b } from "./part/b.js";\n',
    },
    by: "no circle in compiler/src/prune: ",
  },
  {
    name: "a room without a place",
    files: {
      "compiler/src/attic/things.ts": "export const thing = 1;\n",
      "compiler/src/ir/fault.ts": 'export { thing } from "../attic/things.js";\n',
    },
    by: "every-room-has-its-place",
  },
];

// The order of rooms is held, without exception; and the next capabilities move in by files of their own and the lines
// that register them.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const copy = join(folder, "arrows");
    mkdirSync(copy);
    await copyRepository(root, copy);
    await proveArrows(claim, copy);
  });
  for (const name of capabilities)
    await scratch(async (folder) => {
      const copy = join(folder, name);
      mkdirSync(copy);
      await copyRepository(root, copy);
      await proveCapability(claim, copy, name);
    });
}

async function proveArrows(claim, copy) {
  const whole = await deps(copy);
  claim("`npm run deps` on the repository: violations", {
    value: whole.code === 0 ? 0 : whole.stderr.slice(-300),
    bound: 0,
    met: whole.code === 0,
  });
  const cruise = ["depcruise", "--config", ".dependency-cruiser.cjs", "-T", "json", ...packages];
  const { stdout } = await run("npx", cruise, { cwd: copy });
  const left = peel(entryEdges(JSON.parse(stdout).modules));
  claim("folders whose files and folders cannot be put into one order, by the imports of files", {
    value: left.stuck.length,
    bound: 0,
    n: left.folders,
    met: left.stuck.length === 0 && left.folders > 20,
    note: left.stuck.join("; ") || undefined,
  });
  const refused = [];
  const missed = [];
  for (const { name, files, by } of faults) {
    const added = [];
    for (const [file, text] of Object.entries(files)) {
      const path = join(copy, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      added.push(path);
    }
    const answer = await deps(copy);
    const isRefused = answer.code === 1 && answer.stderr.includes(by);
    (isRefused ? refused : missed).push(name);
    for (const path of added) rmSync(path);
  }
  claim("faults that `npm run deps` refuses, each by its own rule", {
    value: refused.length,
    bound: faults.length,
    n: faults.length,
    met: missed.length === 0,
    note: missed.length === 0 ? refused.join("; ") : `not refused: ${missed.join("; ")}`,
  });
}

async function proveCapability(claim, copy, name) {
  const { says, added, lines, touched } = applyCapability(copy, name);
  const changed = touched.flatMap((file) => file.lines);
  const acts = changed.filter((line) => statement.test(line));
  claim(`${name}: files that stood before and are changed`, {
    value: touched.length,
    bound: mostFiles,
    met: touched.length <= mostFiles,
    note: touched.map(({ file, lines: own }) => `${file}: ${own.length} lines`).join("; "),
  });
  claim(`${name}: lines in them, each an import or of a table's row`, {
    value: changed.length,
    bound: mostLines,
    n: changed.length,
    met: changed.length <= mostLines && acts.length === 0,
    note: acts.length > 0 ? acts.join("; ") : `${says}: ${added} files of its own, ${lines} lines`,
  });
  const checks = [
    ["npm", "run", "-s", "build"],
    ["npm", "run", "-s", "deps"],
    ["npx", "oxlint", "--type-aware", "--deny-warnings", ...packages],
    ["npx", "oxfmt", "--check", "compiler/src", "runtime/src", "bench/src"],
  ];
  const failed = [];
  for (const [command, ...args] of checks) {
    const answer = await run(command, args, { cwd: copy });
    if (answer.code !== 0)
      failed.push(`${args.join(" ")}: ${`${answer.stdout}${answer.stderr}`.slice(-300)}`);
  }
  claim(`${name}: types, arrows, lint and format that fail with it`, {
    value: failed.length,
    bound: 0,
    n: checks.length,
    met: failed.length === 0,
    note: failed.join("; ") || undefined,
  });
  const script = join("bench/proofs/house/support/capabilities", name, "run.mjs");
  const { code, stdout, stderr } = await run(process.execPath, [script], { cwd: copy });
  if (code !== 0) throw new Error(`${name}: ${stderr.slice(-600)}`);
  for (const { name: what, ...row } of JSON.parse(stdout.trim().split("\n").at(-1)))
    claim(`${name}: ${what}`, row);
}

const deps = (copy) => run("npm", ["run", "-s", "deps"], { cwd: copy });

/** For each folder: which of its files and folders import which, themselves or by what is inside them. */
function entryEdges(modules) {
  const folders = new Map();
  const known = new Set(modules.map(({ source }) => source));
  for (const { source, dependencies } of modules)
    for (const { resolved } of dependencies) {
      if (!known.has(resolved) || resolved === source) continue;
      const [from, to] = [source.split("/"), resolved.split("/")];
      let depth = 0;
      while (from[depth] === to[depth]) depth += 1;
      const folder = from.slice(0, depth).join("/");
      const edges = folders.get(folder) ?? new Set();
      folders.set(folder, edges.add(`${from[depth]} ${to[depth]}`));
    }
  return folders;
}

/** Takes away what imports nothing that is left, again and again (Kahn 1962): of a circle, something stays. */
function peel(folders) {
  const stuck = [];
  for (const [folder, edges] of folders) {
    let left = [...edges].map((edge) => edge.split(" "));
    for (let before = -1; before !== left.length;) {
      before = left.length;
      const importing = new Set(left.map(([from]) => from));
      left = left.filter(([, to]) => importing.has(to));
    }
    if (left.length > 0)
      stuck.push(`${folder}: ${left.map((edge) => edge.join(" → ")).join(", ")}`);
  }
  return { stuck, folders: folders.size };
}
