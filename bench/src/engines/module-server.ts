import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";

const resolve = createRequire(import.meta.url).resolve;

/** Where the browser's modules come from: what the build wrote, and the engine's own files. */
const roots = {
  bench: fileURLToPath(new URL("../../dist/", import.meta.url)),
  ort: dirname(resolve("onnxruntime-web/wasm")),
};

const engineModules: Readonly<Record<string, string>> = {
  "onnxruntime-web": "ort.bundle.min.mjs",
  "onnxruntime-web/all": "ort.all.bundle.min.mjs",
  "onnxruntime-web/jspi": "ort.jspi.bundle.min.mjs",
  "onnxruntime-web/wasm": "ort.wasm.bundle.min.mjs",
  "onnxruntime-web/webgpu": "ort.webgpu.bundle.min.mjs",
};

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html; charset=utf-8",
};

/** The headers of a page that may use threads and a fine clock. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** What answers a path under `/call/`: the mailboxes of the browser's workers. */
export type CallHandler = (
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** What a server does otherwise than for a browser of ours. */
export interface ModuleServerOptions {
  /** `page.html`. */
  readonly page?: string | undefined;
  /** Told of each of the engine's files that is served; then browsers keep none, so that each start is a first one. */
  readonly onEngineFile?: ((path: string) => void) | undefined;
}

const blankPage = "<!doctype html><title>Pare</title>";

/** A server for one browser: on 127.0.0.1, under a path that nobody can guess. */
export class ModuleServer {
  readonly base: string;
  readonly #server: Server;

  private constructor(server: Server, base: string) {
    this.#server = server;
    this.base = base;
  }

  static async start(
    onCall: CallHandler,
    options: ModuleServerOptions = {},
  ): Promise<ModuleServer> {
    const secret = `/${randomBytes(16).toString("hex")}/`;
    const server = createServer((request, response) => {
      answer(request, response, secret, onCall, options).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
    await new Promise<void>((listening, failed) =>
      server.once("error", failed).listen(0, "127.0.0.1", listening),
    );
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    return new ModuleServer(server, `http://127.0.0.1:${port}${secret}`);
  }

  async dispose(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  secret: string,
  onCall: CallHandler,
  { page = blankPage, onEngineFile }: ModuleServerOptions,
): Promise<void> {
  const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
  if (!path.startsWith(secret)) return void response.writeHead(404, isolation).end();
  const [kind = "", ...rest] = path.slice(secret.length).split("/");
  if (kind === "call") return onCall(rest.join("/"), request, response);
  if (kind === "page.html")
    return void response
      .writeHead(200, { ...isolation, "Content-Type": "text/html; charset=utf-8" })
      .end(page);
  if (kind !== "bench" && kind !== "ort") return void response.writeHead(404, isolation).end();
  const file = join(roots[kind], ...rest);
  const inside = !relative(roots[kind], file).startsWith("..");
  const bytes = inside ? await readFile(file).catch(() => null) : null;
  if (!bytes) return void response.writeHead(404, isolation).end();
  const headers = {
    ...isolation,
    "Content-Type": types[extname(file)] ?? "application/octet-stream",
    "Cache-Control": onEngineFile === undefined ? "max-age=3600" : "no-store",
  };
  if (kind === "ort") onEngineFile?.(file);
  response
    .writeHead(200, headers)
    .end(kind === "ort" ? bytes : withUrls(bytes.toString("utf8"), secret));
}

/** The engine's specifiers as URLs: module workers have no import maps. */
function withUrls(source: string, secret: string): string {
  return source.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)"([^".][^"]*)"/g,
    (whole, before: string, specifier: string) => {
      const engine = engineModules[specifier];
      return engine === undefined ? whole : `${before}"${secret}ort/${engine}"`;
    },
  );
}
