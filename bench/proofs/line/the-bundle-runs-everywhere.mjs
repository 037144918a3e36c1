import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createServer } from "vite";
import { manifestOf, pare, run, scratch } from "../shell.mjs";
import { isHere, undriven, visit as visitUndriven } from "../support/browsers/undriven.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const samplesAsked = 4;
const targets = ["aot", "cpu", "wasm", "webgpu"];
/** Asked of a page, in the page itself and in a worker. */
const onPages = ["aot", "wasm", "wasm&threads=2", "webgpu"];
/** With `PARE_BUNDLES`, the bundles are taken from that folder instead of made. */
const made = process.env.PARE_BUNDLES;

export async function prove({ claim, inform, root }) {
  // What the examples' tests use is TypeScript, which Node 20 does not run by itself.
  const typescript = await createServer({
    configFile: false,
    logLevel: "error",
    server: { middlewareMode: true, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  const load = (name) => typescript.ssrLoadModule(join(root, "docs/examples/testing", name));
  const apps = await load("apps.ts");
  const { chromiumPath, launchChromium } = await load("chromium.ts");
  claim("a Chromium is here", { value: chromiumPath, bound: "one", met: chromiumPath !== null });
  const browser = await launchChromium();
  try {
    await scratch(async (folder) => {
      for (const [name, data, ...options] of [
        ["ocr-direction", "ocr-direction", "--shape", "x=1x3x48x192"],
        ["mnist-cnn", "mnist"],
      ]) {
        const bundle = await bundleOf({ claim, root, folder, name, data, options });
        const feeds = await feedsOf(join(root, `fixtures/data/${data}.mjs`));
        const source = {
          parts: [...apps.bundlerConfigs, ...["index.html", "src", "in-node.mjs"].map(part)],
          bundle: name,
          folder: "model.pare",
          writeBundle: async (place) => cpSync(bundle, place, { recursive: true }),
        };
        await everywhere({ claim, inform, name, bundle, feeds, source, apps, browser });
      }
    });
  } finally {
    await browser.close();
    await typescript.close();
  }
}

const part = (name) => here(`everywhere/${name}`);

async function bundleOf({ claim, root, folder, name, data, options }) {
  const bundle = join(made ?? folder, `${name}.pare`);
  if (made === undefined) {
    const args = ["--data", `fixtures/data/${data}.mjs`, "--target", targets.join(","), ...options];
    const model = `fixtures/models/${name}.onnx`;
    const { code, stderr } = await pare(root, ["optimize", model, ...args, "-o", bundle]);
    const note = code === 0 ? undefined : stderr.slice(-300);
    claim(`${name}: pare optimize exits with`, { value: code, bound: 0, met: code === 0, note });
  }
  const variants = manifestOf(bundle).variants.map(({ id }) => id);
  claim(`${name}: variants`, {
    value: variants.join(", "),
    bound: `one for each of ${targets.join(", ")}`,
    met: targets.every((target) => variants.some((id) => id.startsWith(target))),
  });
  return bundle;
}

/** The first test samples, as JSON. */
async function feedsOf(module) {
  const { samples, splits } = await import(module);
  const wanted = new Set(splits?.test?.slice(0, samplesAsked));
  const feeds = [];
  for await (const sample of typeof samples === "function" ? samples() : samples) {
    if (wanted.size > 0 && !wanted.has(sample.id)) continue;
    const plain = Object.entries(sample.feeds).map(([name, { type, dims, data }]) => [
      name,
      { type, dims, data: [...data] },
    ]);
    feeds.push(Object.fromEntries(plain));
    if (feeds.length === samplesAsked) break;
  }
  return feeds;
}

async function everywhere({ claim, inform, name, bundle, feeds, source, apps, browser }) {
  const judge = createJudge(manifestOf(bundle), feeds.length);
  const verdict = (where, runs) => {
    const wrong = runs.filter(({ why }) => why !== null);
    claim(`${name}, ${where}: proven, and the same answers within tolerance`, {
      value: runs.length - wrong.length,
      bound: runs.length,
      n: runs.length,
      met: wrong.length === 0,
      note:
        wrong.length === 0
          ? `${runs.map(({ what }) => what).join(", ")}; largest share of the tolerance used ${judge.used.toFixed(3)}`
          : wrong.map(({ what, why }) => `${what}: ${why}`).join("; "),
    });
  };

  for (const place of ["inside", "outside", "installed"]) {
    for (const bundler of ["vite-dev", "vite-build", "webpack"]) {
      const app = await apps.makeApp(`proof-${bundler}-${place}`, place, source);
      let server;
      try {
        writeFileSync(join(app, "public/feeds.json"), JSON.stringify(feeds));
        if (bundler === "vite-dev") {
          const there = place === "inside" ? "./model.pare" : "../model.pare";
          const runs = [];
          for (const target of ["aot", "cpu", "wasm"])
            for (const where of ["main", "worker"]) {
              const bundlePlace = place === "installed" ? name : join(app, there);
              const said = await inNode(app, bundlePlace, where, { target });
              runs.push({ what: `${target} in ${where}`, why: judge.why(target, said) });
            }
          verdict(`Node, bundle ${place}`, runs);
        }
        server = await apps.serveApp(app, bundler);
        const runs = [];
        for (const from of bundler !== "vite-dev" && place === "inside"
          ? ["import", "static"]
          : ["import"])
          for (const target of onPages)
            for (const where of ["page", "worker"]) {
              const query = `target=${target}&in=${where}&from=${from}`;
              const { said, workers } = await visit(browser, `${server.url}?${query}`);
              const threaded = !query.includes("threads=2") || where !== "page" || workers > 0;
              const why = threaded ? judge.why(target.split("&")[0], said) : "it had one thread";
              runs.push({
                what: `${target} in ${where}${from === "static" ? ", static" : ""}`,
                why,
              });
            }
        verdict(`${bundler}, bundle ${place}`, runs);
        for (const visited of place === "inside" ? undriven : [])
          if (isHere(visited))
            verdict(
              `${bundler}, bundle inside, in ${visited.name}`,
              await undrivenRuns(visited, server.url, judge),
            );
          else inform(visited.name, { value: "there is none here" });
        if (bundler === "vite-build" && place === "inside") {
          await damagedInBrowser({ claim, name, browser, url: server.url, bundle });
          await damagedInNode({ claim, name, app, bundle });
        }
      } finally {
        await apps.closeApp(app, server);
      }
    }
  }
}

/**
 * Not on a GPU, which browsers other than Chromium do not emulate. Where a browser has no memory to share, threads that are
 * asked for are refused by that name.
 */
async function undrivenRuns(browser, url, judge) {
  const runs = [];
  for (const target of onPages.filter((one) => one !== "webgpu"))
    for (const where of ["page", "worker"]) {
      const said = await visitUndriven(browser, `${url}?target=${target}&in=${where}`);
      const what = `${target} in ${where}`;
      const isRefused = said.shares === false && said.error?.message.includes("SharedArrayBuffer");
      if (target.includes("threads") && isRefused)
        runs.push({ what: `${what} refused without SharedArrayBuffer`, why: null });
      else runs.push({ what, why: judge.why(target.split("&")[0], said) });
    }
  return runs;
}

/** Compares with the first answer for the same target, by the variant's own tolerance; and every target's best class. */
function createJudge(manifest, count) {
  const first = new Map();
  let classes;
  const judge = {
    used: 0,
    /** Null, or what is wrong. */
    why(target, said) {
      if (said.error) return said.error.message;
      const { selection, answers } = said;
      if (selection.target !== target || !selection.proven) return JSON.stringify(selection);
      if (said.isolated === false) return "the page is not isolated";
      if (answers.length !== count) return `${answers.length} answers`;
      const { tolerance } = manifest.variants.find(({ id }) => id === selection.chosen);
      if (!first.has(target)) first.set(target, answers);
      const expected = first.get(target).flat(2);
      for (const [index, value] of answers.flat(2).entries()) {
        const allowed = tolerance.absolute + tolerance.relative * Math.abs(expected[index]);
        const share = Math.abs(value - expected[index]) / allowed;
        if (!(share <= 1)) return `${value} instead of ${expected[index]}`;
        judge.used = Math.max(judge.used, share);
      }
      const best = answers.map(([values]) => values.indexOf(Math.max(...values))).join();
      classes ??= best;
      return best === classes ? null : `classes ${best} instead of ${classes}`;
    },
  };
  return judge;
}

async function inNode(app, place, where, options) {
  const args = [join(app, "in-node.mjs"), place, join(app, "public/feeds.json"), where];
  const { code, stdout, stderr } = await run(process.execPath, [...args, JSON.stringify(options)], {
    cwd: app,
  });
  return code === 0 ? JSON.parse(stdout) : { error: { message: stderr.slice(-300) } };
}

/** @param prepare may route the page's requests */
async function visit(browser, url, prepare = async () => {}) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    await prepare(page);
    await page.goto(url);
    await page.waitForFunction(() => document.querySelector("output")?.dataset.result, null, {
      timeout: 120_000,
    });
    const result = await page.locator("output").getAttribute("data-result");
    return { said: JSON.parse(result), workers: page.workers().length };
  } catch (error) {
    return { said: { error: { message: `${error}; ${said.join("; ")}` } }, workers: 0 };
  } finally {
    await page.close();
  }
}

const oneLine = (text) => text.replaceAll("\n", " ").slice(0, 200);

const flipped = (bytes) => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] ^= 1;
  return copy;
};

/** What the contract names, each with what must come of it. */
async function damagedInBrowser({ claim, name, browser, url, bundle }) {
  const manifest = manifestOf(bundle);
  const [wasm, webgpu] = ["wasm", "webgpu"].map((target) =>
    manifest.variants.find((variant) => variant.target === target),
  );
  const damage =
    (pattern, answer, times = Infinity) =>
    async (page) => {
      let left = times;
      await page.route(pattern, async (route) => {
        if (left <= 0) return route.continue();
        left -= 1;
        const response = await route.fetch();
        await route.fulfill({ response, ...answer(await response.body()) });
      });
    };
  const fallsBack = async (what, answer, reason) => {
    // Once, for both variants may share the file: the copy that came first is the damaged one.
    const prepare = damage(`**/${wasm.files[0].path}`, answer, 1);
    const { said } = await visit(browser, `${url}?from=static`, prepare);
    const attempt = said.selection?.tried.find(({ variant }) => variant === wasm.id);
    claim(`${name}, on a page: ${what}: the next variant, and why`, {
      value: oneLine(said.error?.message ?? `${said.selection.chosen}: ${attempt?.reason}`),
      bound: `${webgpu.id}: ${reason}`,
      met: said.selection?.chosen === webgpu.id && reason.test(attempt?.reason ?? ""),
    });
  };
  await fallsBack("a byte flipped in a variant", (body) => ({ body: flipped(body) }), /sha256/);
  await fallsBack("a variant cut short", (body) => ({ body: body.subarray(0, 999) }), /bytes/);
  await fallsBack("a variant missing", () => ({ status: 404, body: "" }), /404/);

  const fails = async (what, query, pattern, answer, code, text) => {
    const { said } = await visit(browser, `${url}?from=static&${query}`, damage(pattern, answer));
    const found = said.error
      ? `${said.error.code}: ${said.error.message} ${said.error.hint ?? ""}`
      : "it ran";
    claim(`${name}, on a page: ${what}`, {
      value: oneLine(found),
      bound: `${code}, ${text}`,
      met: said.error?.code === code && text.test(found),
    });
  };
  const golden = "**/golden-*.json";
  const file = "**/manifest.json";
  const as = (body) => () => ({ body });
  const flip = (body) => ({ body: flipped(body) });
  await fails("a byte flipped in the golden check", "", golden, flip, "GOLDEN", /golden/);
  await fails(
    "a manifest cut short",
    "",
    file,
    (body) => ({ body: body.subarray(0, 99) }),
    "BUNDLE_INVALID",
    /damaged/,
  );
  await fails(
    "a manifest of a newer version",
    "",
    file,
    as('{"formatVersion":99}'),
    "BUNDLE_VERSION",
    /format/,
  );
  await fails(
    "HTML instead of a manifest",
    "",
    file,
    as("<!doctype html>"),
    "BUNDLE_NOT_FOUND",
    /public/,
  );
  await fails(
    "no manifest",
    "",
    file,
    () => ({ status: 404, body: "" }),
    "BUNDLE_NOT_FOUND",
    /404/,
  );
  await fails(
    "another manifest than the pinned one",
    `integrity=${"0".repeat(64)}`,
    file,
    (body) => ({ body }),
    "INTEGRITY",
    /pinned/,
  );

  const { said } = await visit(
    browser,
    `${url}?from=static&target=wasm&unproven`,
    damage(golden, flip),
  );
  claim(`${name}, on a page: a damaged golden check, and unproven variants asked for`, {
    value: oneLine(
      said.error?.message ?? `${said.selection.chosen}, proven ${said.selection.proven}`,
    ),
    bound: `${wasm.id}, proven false`,
    met: said.selection?.chosen === wasm.id && said.selection.proven === false,
  });
}

async function damagedInNode({ claim, name, app, bundle }) {
  const manifest = manifestOf(bundle);
  const [cpu, wasm] = ["cpu", "wasm"].map((target) =>
    manifest.variants.find((variant) => variant.target === target),
  );
  const copy = join(app, "damaged.pare");
  const ask = async (damage) => {
    rmSync(copy, { recursive: true, force: true });
    cpSync(bundle, copy, { recursive: true });
    damage();
    return inNode(app, copy, "main", {});
  };
  const file = join(copy, cpu.files[0].path);
  const shared = cpu.files[0].path === wasm.files[0].path;
  for (const [what, damage, code, reason] of [
    [
      "a byte flipped in a variant",
      () => writeFileSync(file, flipped(readFileSync(file))),
      "INTEGRITY",
      /sha256/,
    ],
    ["a variant cut short", () => truncateSync(file, 999), "INTEGRITY", /bytes/],
    ["a variant missing", () => rmSync(file), "BUNDLE_NOT_FOUND", /not|no such/i],
  ]) {
    const said = await ask(damage);
    const attempt = said.selection?.tried.find(({ variant }) => variant === cpu.id);
    claim(
      `${name}, in Node: ${what}: ${shared ? "refused, for all share the file" : "the next variant, and why"}`,
      {
        value: oneLine(said.error?.message ?? `${said.selection.chosen}: ${attempt?.reason}`),
        bound: shared ? `${code}, ${reason}` : `${wasm.id}: ${reason}`,
        met: shared
          ? said.error?.code === code && reason.test(said.error.message)
          : said.selection?.chosen === wasm.id && reason.test(attempt?.reason ?? ""),
      },
    );
  }
  for (const [what, damage, code] of [
    ["a byte flipped in the golden check", () => flipFile(manifest.golden.path), "GOLDEN"],
    ["no golden check", () => rmSync(join(copy, manifest.golden.path)), "GOLDEN"],
    ["a manifest cut short", () => truncateSync(join(copy, "manifest.json"), 99), "BUNDLE_INVALID"],
    ["no manifest", () => rmSync(join(copy, "manifest.json")), "BUNDLE_NOT_FOUND"],
  ]) {
    const said = await ask(damage);
    const value = said.error ? oneLine(`${said.error.code}: ${said.error.message}`) : "it ran";
    claim(`${name}, in Node: ${what}`, { value, bound: code, met: said.error?.code === code });
  }
  function flipFile(path) {
    writeFileSync(join(copy, path), flipped(readFileSync(join(copy, path))));
  }
}
