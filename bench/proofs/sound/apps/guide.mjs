// A guide as a program: its commands are run and its files written, from top to bottom, as a reader would.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../../shell.mjs";

/** A block whose first line is a comment with a path is that file. */
const named = /^(?:\/\/|<!--|#) ([\w./-]+\.\w+)(?: -->)?\n/;

/**
 * @param sections those under these second-level headings, after what comes before the first; all where not given
 * @returns {({ run: string } | { path: string, text: string })[]}
 */
export function stepsOf(guide, sections) {
  const [before, ...under] = readFileSync(guide, "utf8").split(/^## /m);
  const wanted = under.filter(
    (text) => sections?.includes(text.slice(0, text.indexOf("\n"))) ?? true,
  );
  if (sections !== undefined && wanted.length !== sections.length)
    throw new Error(`${guide} has not all of the sections ${sections.join(", ")}`);
  const steps = [];
  for (const [, language, code] of [before, ...wanted]
    .join("\n")
    .matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    const path = named.exec(code)?.[1];
    if (language === "sh") steps.push({ run: code });
    else if (path !== undefined) steps.push({ path, text: code });
  }
  return steps;
}

/** Seconds that one block of commands may take. */
const patience = 600;

/**
 * Follows a guide in a folder.
 * @param versions what a package's name in `npm i` stands for: `vite` is installed as `vite@7.3.8`
 * @returns the seconds that it took
 */
export async function follow(guide, { folder, sections, versions }) {
  const started = performance.now();
  for (const step of stepsOf(guide, sections)) {
    if ("path" in step) {
      const file = join(folder, step.path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, step.text);
      continue;
    }
    const command = pinned(step.run, versions);
    const { code, stdout, stderr } = await run(
      "timeout",
      [String(patience), "bash", "-euc", command],
      {
        cwd: folder,
        env: npmEnvironment,
      },
    );
    if (code !== 0) throw new Error(`${command}\n${`${stdout}\n${stderr}`.trim().slice(-1500)}`);
  }
  return (performance.now() - started) / 1000;
}

/** What an outer npm hands down is the outer project's. */
export const npmEnvironment = {
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^npm_|onnxruntime_node_install/i.test(name))
      .map((name) => [name, undefined]),
  ),
  NEXT_TELEMETRY_DISABLED: "1",
  CI: "1",
};

function pinned(command, versions) {
  return command.replace(/^(.*\bnpm i(?: -D)?)((?: \S+)+)$/gm, (line, npm, names) => {
    const all = names.trim().split(" ");
    const unknown = all.filter((name) => !(name in versions));
    if (unknown.length > 0) throw new Error(`no version is stated for ${unknown.join(", ")}`);
    const exact = all.map((name) => versions[name]);
    return `${npm} --save-exact --no-audit --no-fund --prefer-offline ${exact.join(" ")}`;
  });
}
