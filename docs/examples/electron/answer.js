import { readFile } from "node:fs/promises";

/** Where this file lies: inside app.asar once packaged, and never where the app was started from. */
const here = (path) => new URL(path, import.meta.url);
const installed = (name) => new URL(import.meta.resolve(name));

/** What a page may ask for: the runtime in one file, the engine's files beside it, the bundle, and the page's own. */
const places = {
  "/pare/pare.js": installed("@pare/runtime/plain"),
  "/pare/": new URL("./", installed("onnxruntime-web/wasm")),
  "/digits.pare/": here("digits.pare/"),
  "/": here("page/"),
};

const types = {
  html: "text/html",
  js: "text/javascript",
  mjs: "text/javascript",
  json: "application/json",
  wasm: "application/wasm",
};

/** The first two let a page use threads. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
};

/** Answers app://digits/… with what lies there, and with nothing else. */
export async function answer(request) {
  const { pathname } = new URL(request.url);
  const path = pathname === "/" ? "/index.html" : pathname;
  const prefix = Object.keys(places).find((start) => path.startsWith(start));
  const file = new URL(path.slice(prefix.length), places[prefix]);
  const isInside = file.href.startsWith(places[prefix].href);
  const body = isInside ? await readFile(file).catch(() => null) : null;
  if (body === null) return new Response(null, { status: 404, headers });
  const type = types[file.pathname.split(".").pop()] ?? "application/octet-stream";
  return new Response(body, { headers: { ...headers, "content-type": type } });
}
