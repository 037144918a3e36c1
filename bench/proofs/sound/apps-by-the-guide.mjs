// Every guide followed word for word in an empty folder, built for production, and what comes out asked for a digit.
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pare, run, scratch } from "../shell.mjs";
import { apps, versions } from "./apps/apps.mjs";
import { causes } from "./apps/causes.mjs";
import { inElectron } from "./apps/electron.mjs";
import { launch } from "./apps/browser.mjs";
import { follow } from "./apps/guide.mjs";
import { inNode } from "./apps/in-node.mjs";
import { createJudge } from "./apps/judge.mjs";
import { pages } from "./apps/pages.mjs";
import { runServer } from "./apps/run-server.mjs";
import { isolation, policy, serve } from "./apps/serve.mjs";
import { visit } from "./apps/visit.mjs";

/** Seconds from the address to the answer: engine, model, golden check and run, on a busy machine with two cores. */
const soon = 15;
/** As many as the runtime takes of the cores that the server tells of. */
const threads = 4;

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const tarball = await pack(root, folder);
    const bundle = await makeBundle(root, folder);
    const seven = join(root, "docs/guides/seven.json");
    const judge = await createJudge(bundle, seven);
    claim("Node reads a seven on cpu and on wasm", {
      value: judge.digits.join(", "),
      bound: "7, 7",
      met: judge.digits.every((digit) => digit === 7),
    });

    /** An empty folder with the bundle and the digit beside it, in which a guide was followed. */
    const build = async (name, guide, options = {}) => {
      const place = join(folder, name.replaceAll(/\W+/g, "-").toLowerCase());
      const app = join(place, "app");
      mkdirSync(app, { recursive: true });
      cpSync(bundle, join(place, "digits.pare"), { recursive: true });
      cpSync(seven, join(place, "seven.json"));
      const all = { ...versions, "@pare/runtime": tarball, ...options.versions };
      const file = join(root, `docs/guides/${guide}.md`);
      const seconds = await follow(file, {
        folder: app,
        sections: options.sections,
        versions: all,
      });
      return { app, seconds };
    };
    const answers = (what, target, { text, seconds }) => {
      const share = judge.share(target, text);
      claim(`${what}: the answers of Node, as share of the variant's tolerance`, {
        value: Number.isFinite(share) ? share : text.slice(0, 300),
        bound: 1,
        met: share <= 1,
      });
      if (seconds === undefined) return;
      claim(`${what}: seconds to the answer`, {
        value: seconds,
        bound: soon,
        met: seconds <= soon,
      });
    };
    const isThreaded = (what, { isolated }, started) =>
      claim(`${what}: isolated, and threads beside the first`, {
        value: isolated ? started : "not isolated",
        bound: threads - 1,
        met: isolated && started >= threads - 1,
      });
    const tools = {
      claim,
      inform,
      root,
      folder,
      bundle,
      seven,
      tarball,
      build,
      answers,
      isThreaded,
      soon,
    };

    const browser = await launch();
    try {
      for (const app of apps) await byTheGuide({ ...tools, browser, app });
      await pages({ ...tools, browser });
      await causes({ ...tools, browser });
    } finally {
      await browser.close();
    }
    await inNode(tools);
    await inElectron(tools);
  });
}

async function pack(root, folder) {
  const args = ["pack", "--pack-destination", folder];
  const { code, stderr } = await run("npm", args, { cwd: join(root, "runtime") });
  const name = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  if (code !== 0 || name === undefined) throw new Error(`npm pack failed: ${stderr.slice(-300)}`);
  return join(folder, name);
}

/** As the first guide makes it, in less time. */
async function makeBundle(root, folder) {
  const bundle = join(folder, "digits.pare");
  const model = "fixtures/models/mnist-cnn.onnx";
  const args = ["--data", "fixtures/data/mnist.mjs", "--target", "cpu,wasm", "-o", bundle];
  const { code, stderr } = await pare(root, ["optimize", model, ...args, "--time-budget", "30s"]);
  if (code !== 0) throw new Error(`pare optimize failed: ${stderr.slice(-300)}`);
  return bundle;
}

async function byTheGuide({ claim, inform, build, answers, isThreaded, browser, app }) {
  let made;
  try {
    made = await build(app.name, app.guide, app);
  } catch (error) {
    const value = error.message.slice(0, 400);
    claim(`${app.name}: the guide runs to its end`, { value, bound: "no error", met: false });
    return;
  }
  inform(`${app.name}: seconds to install and build`, { value: made.seconds });

  const own = app.start === undefined ? null : await runServer(made.app, app.start);
  const headers = { ...(own === null && isolation), ...(app.policy && policy) };
  const server = await serve(own?.url ?? join(made.app, app.output), { headers });
  try {
    const seen = await visit(browser, server.url);
    answers(`${app.name}, in production`, "wasm", seen);
    isThreaded(`${app.name}, in production`, seen, server.workers - app.workers);
  } finally {
    await server.close();
    await own?.close();
  }

  if (app.dev === undefined) return;
  const dev = await runServer(made.app, app.dev);
  try {
    const seen = await visit(browser, dev.url);
    answers(`${app.name}, in development`, "wasm", seen);
    claim(`${app.name}, in development: isolated`, {
      value: seen.isolated,
      bound: true,
      met: seen.isolated,
    });
  } finally {
    await dev.close();
  }
}
