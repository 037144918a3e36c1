// What an app is told on a page when something about the engine, the bundle or the server is wrong.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { isolation, policy, serve } from "./serve.mjs";
import { told } from "./told.mjs";
import { visit } from "./visit.mjs";

const page = "<!doctype html><title>An app</title><output></output>";
/** What a server of a single-page app answers to every address that it does not know. */
const spa = { type: "text/html", body: page };
const missing = { status: 404, type: "text/plain", body: "" };
const stalls = { type: "application/octet-stream", body: Buffer.alloc(1000), stall: true };
/** Seconds: no byte for 30. */
const afterStalling = [29, 40];

/**
 * `fault` is gone before the next load; `first` are options of the first load alone, `next` those of the next; `headers` are
 * the server's. `next: false` where nothing can run on the page.
 */
const table = [
  {
    what: "no engine",
    fault: (path) => (/\/ort\.[\w.-]+js$/.test(path) ? missing : undefined),
    code: "ENGINE_MISSING",
    cure: /onnxruntime-web/,
  },
  {
    what: "a page of the app in place of the .wasm",
    fault: (path) => (path.endsWith(".wasm") ? spa : undefined),
    code: "ENGINE_PAGE",
    cure: /wasmPaths/,
  },
  {
    what: "a page of the app in place of the engine's .mjs",
    fault: (path) => (path.startsWith("/engine/") && path.endsWith(".mjs") ? spa : undefined),
    code: "ENGINE_NOT_FOUND",
    cure: /wasmPaths/,
  },
  {
    what: "a wrong path of the engine",
    first: { wasmPaths: "/elsewhere/" },
    code: "ENGINE_NOT_FOUND",
    cure: /wasmPaths/,
  },
  {
    what: "a wrong path of the bundle",
    first: { bundle: "elsewhere.pare/" },
    attempts: false,
    code: "BUNDLE_NOT_FOUND",
    cure: /public|static|address/,
  },
  {
    what: "a policy without wasm-unsafe-eval",
    headers: { "content-security-policy": "script-src 'self'; worker-src 'self'" },
    code: "ENGINE_POLICY",
    cure: /wasm-unsafe-eval/,
    next: false,
  },
  {
    what: "threads without isolation",
    headers: policy,
    first: { threads: 4 },
    next: {},
    code: "NOT_ISOLATED",
    cure: /Cross-Origin-Opener-Policy/,
  },
  {
    what: "a manifest that stalls",
    fault: (path) => (path.endsWith("manifest.json") ? stalls : undefined),
    attempts: false,
    code: "NETWORK",
    cure: /30 s/,
    seconds: afterStalling,
  },
  {
    what: "a variant that stalls",
    fault: (path) => (path.includes("/variants/") ? stalls : undefined),
    code: "NETWORK",
    cure: /30 s/,
    seconds: afterStalling,
  },
  {
    what: "an engine that stalls",
    fault: (path) => (path.endsWith(".wasm") ? stalls : undefined),
    code: "NETWORK",
    cure: /30 s/,
    seconds: afterStalling,
  },
];

export async function causes({ claim, root, folder, bundle, seven, answers, browser }) {
  const site = join(folder, "causes");
  await build({
    entryPoints: [fileURLToPath(new URL("causes/page.js", import.meta.url))],
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: site,
    logLevel: "error",
    chunkNames: "[name]-[hash]",
  });
  const engine = join(root, "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded");
  mkdirSync(join(site, "engine"));
  for (const ending of [".mjs", ".wasm"])
    cpSync(engine + ending, join(site, `engine/ort-wasm-simd-threaded${ending}`));
  cpSync(bundle, join(site, "digits.pare"), { recursive: true });
  cpSync(seven, join(site, "seven.json"));
  writeFileSync(join(site, "index.html"), `${page}<script type="module" src="page.js"></script>`);

  for (const { what, fault, headers, first = {}, next = {}, ...expected } of table) {
    const server = await serve(site, {
      headers: headers ?? { ...isolation, ...policy },
      fault(path) {
        if (path === "/mend") server.setFault(undefined);
        return path === "/mend" ? { type: "text/plain", body: "" } : fault?.(path);
      },
    });
    try {
      const ask = encodeURIComponent(JSON.stringify({ first, ...(next !== false && { next }) }));
      const { text } = await visit(browser, `${server.url}?ask=${ask}`, { timeout: 90_000 });
      const said = text.startsWith("{") ? JSON.parse(text) : { message: text };
      told({ claim, answers }, `on a page, ${what}`, "wasm", { ...expected, next }, said);
    } finally {
      await server.close();
    }
  }
}
