// A server for what was built, which counts the workers that a page starts, and can be told to answer wrongly.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** What the guides say a server has to send so that a page may use threads. */
export const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The policy that docs/guides/in-a-browser.md says is enough. */
export const policy = {
  "content-security-policy":
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
};

const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** The page is told of so many cores, whatever this machine has: the runtime takes half of them, at most 4. */
const cores = 8;

/**
 * @param from a folder of files, or the URL of a server that is passed on
 * @param headers sent with every answer
 * @param fault by path: undefined, or what is answered instead: `{ status, type, body, stall }`
 */
export async function serve(from, { headers = {}, fault = () => undefined } = {}) {
  const find = from.startsWith("http") ? passOn : readStatic;
  let current = fault;
  let workers = 0;
  const respond = async (request, response) => {
    if (/worker/.test(request.headers["sec-fetch-dest"] ?? "")) workers += 1;
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    const answer = current(path) ?? (await find(from, path, request.url));
    const { status = 200, type, body, stall = false } = answer;
    response.writeHead(status, {
      "content-type": type,
      "cache-control": "no-store",
      ...headers,
      ...answer.headers,
      ...(stall && { "content-length": body.length + 1 }),
    });
    if (stall) response.write(body);
    else response.end(/javascript/.test(type) ? told(body) : body);
  };
  const server = createServer((request, response) => void respond(request, response));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** How many workers were asked for. */
    get workers() {
      return workers;
    },
    setFault(next) {
      current = next ?? (() => undefined);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readStatic(folder, path) {
  const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
  try {
    return { type: types[extname(file)] ?? "application/octet-stream", body: await readFile(file) };
  } catch {
    return { status: 404, type: "text/plain", body: "" };
  }
}

async function passOn(server, _path, address) {
  const there = await fetch(new URL(address, server), { redirect: "manual" });
  const kept = [...there.headers].filter(([name]) => name.startsWith("cross-origin-"));
  return {
    status: there.status,
    type: there.headers.get("content-type") ?? "application/octet-stream",
    headers: Object.fromEntries(kept),
    body: Buffer.from(await there.arrayBuffer()),
  };
}

function told(script) {
  return script.toString().replaceAll(/\bnavigator\??\.hardwareConcurrency\b/g, String(cores));
}
