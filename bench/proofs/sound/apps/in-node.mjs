// The guide for Node under this Node and under the newest long-term one, and what an app is told when an engine lacks.
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../shell.mjs";
import { npmEnvironment as env } from "./guide.mjs";
import { told } from "./told.mjs";

const next = "24.9.0";

/** What has no guide: `require` of the runtime, which Node can from 20.19 on. */
const required = `
const { load } = require("@pare/runtime");
const { cpu } = require("@pare/runtime/ort-node");
const pixels = Float32Array.from(require("./seven.json").flat(3));
load(__dirname + "/digits.pare", { backends: [cpu()] })
  .then((model) => model.run({ x: { type: "float32", dims: [1, 1, 28, 28], data: pixels } }))
  .then(({ logits }) => console.log(logits.data.join(" ")));
`;

/** The first load lacks something; the next one of the same process does not. */
const failing = `
import { load } from "@pare/runtime";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { readFileSync } from "node:fs";

const [first] = process.argv.slice(2);
const here = (name) => new URL(name, import.meta.url);
const started = performance.now();
const ways = {
  engine: () => load(here("digits.pare/"), { backends: [wasm()] }),
  path: () => load(here("elsewhere.pare/"), { backends: [cpu()] }),
};
const error = await ways[first]().catch((thrown) => thrown);
const { code, message, hint, tried } = error;
const seconds = (performance.now() - started) / 1000;
const model = await load(here("digits.pare/"), { backends: [cpu()] });
const data = Float32Array.from(JSON.parse(readFileSync(here("seven.json"), "utf8")).flat(3));
const { logits } = await model.run({ x: { type: "float32", dims: [1, 1, 28, 28], data } });
console.log(JSON.stringify({ code, message, hint, tried, seconds, next: logits.data.join(" ") }));
`;

export async function inNode({ claim, inform, folder, build, answers }) {
  const { app } = await build("in Node", "in-node");
  writeFileSync(join(app, "required.cjs"), required);
  writeFileSync(join(app, "failing.mjs"), failing);

  const nodes = [[process.version, process.execPath]];
  const newer = await fetchNode(folder);
  if (newer === null) inform(`Node ${next}`, { value: "skipped: npm does not bring it here" });
  else nodes.push([`v${next}`, newer]);
  for (const [version, node] of nodes)
    for (const [what, file] of [
      ["a module", "digits.mjs"],
      ["CommonJS with import()", "digits.cjs"],
      ["CommonJS with require()", "required.cjs"],
    ]) {
      // From another folder than the app's: no path may depend on where it was started.
      const { code, stdout, stderr, seconds } = await run(node, [join(app, file)], {
        cwd: tmpdir(),
      });
      const text = code === 0 ? stdout : stderr.slice(-300);
      answers(`Node ${version}, ${what}, started elsewhere`, "cpu", { text, seconds });
    }

  const fails = async (what, first, expected) => {
    const { stdout, stderr } = await run(process.execPath, [join(app, "failing.mjs"), first]);
    told({ claim, answers }, `in Node, ${what}`, "cpu", expected, parsed(stdout, stderr));
  };
  await fails("a wrong path", "path", {
    code: "BUNDLE_NOT_FOUND",
    cure: /elsewhere\.pare/,
    attempts: false,
  });
  await fails("no engine", "engine", {
    code: "ENGINE_MISSING",
    cure: /npm install onnxruntime-web/,
  });
  // npm itself refuses it, by the range of the peer; an app may have forced it.
  const old = ["i", "--no-save", "--legacy-peer-deps", "onnxruntime-web@1.21.1"];
  await run("npm", old, { cwd: app, env: { ...env, ONNXRUNTIME_NODE_INSTALL: "skip" } });
  await fails("an old engine", "engine", { code: "ENGINE_VERSION", cure: /1\.22/ });
}

function parsed(stdout, stderr) {
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: stderr.slice(-300) };
  }
}

/** @returns the path of another Node, or null where there is no package for this machine */
async function fetchNode(folder) {
  const name = `node-${process.platform}-${process.arch}`;
  const args = [
    "i",
    "--prefix",
    join(folder, "node"),
    "--no-audit",
    "--no-fund",
    `${name}@${next}`,
  ];
  const { code } = await run("npm", args, { cwd: folder, env });
  return code === 0 ? join(folder, "node/node_modules", name, "bin/node") : null;
}
