// A folder under a strict policy, to whose server a page can say what it found.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { extname, join } from "node:path";

const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
/** Nothing is evaluated but WebAssembly, and nothing comes from elsewhere. */
export const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; img-src data:";

/**
 * @param {string} folder
 * @param use is given the address, and what waits for the JSON that a page posts
 */
export async function served(folder, use) {
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  const server = createServer((request, response) => {
    const path = join(folder, decodeURIComponent(request.url ?? "/").replace(/^\/$/, "index.html"));
    const type = types[extname(path)] ?? "application/octet-stream";
    const headers = { "content-type": type, "content-security-policy": policy };
    if (request.method === "POST") {
      tell(json(request));
      return request.once("end", () => response.writeHead(204, headers).end());
    }
    if (!existsSync(path)) return response.writeHead(404, headers).end();
    response.writeHead(200, headers);
    return createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`, () => told);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
