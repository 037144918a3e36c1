import { execFileSync } from "node:child_process";
import { mkdtemp, rm, unlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeBundle, type TestBundle, writeFiles } from "../../test-models/write-bundle.js";
import { cpu } from "../backends/ort-node.js";
import { wasm, webgpu } from "../backends/ort-web.js";
import { Queue } from "../backends/queue.js";
import type { Backend, Session } from "../format/engine/backend.js";
import { PareError } from "../format/error.js";
import { bundleJson } from "../format/bundle/parse-runnable.js";
import { sha256Sync } from "../format/sha256.js";
import { load, type LoadModelOptions } from "./load.js";

const feeds = {
  x: { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) },
  shift: Float32Array.of(1, 1, 1),
} as const;
const backends = [cpu(), wasm()];

let folder: string;
let bundle: TestBundle;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-load-"));
  bundle = await makeBundle();
  await writeFiles(folder, bundle.files);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function pathOf(id: string): string {
  return bundle.manifest.variants.find((variant) => variant.id === id)?.files[0]?.path ?? "";
}

/** Loads, runs once, disposes, and gives the selection. */
async function selectionOf(
  source: Parameters<typeof load>[0],
  options: Partial<LoadModelOptions> = {},
) {
  const model = await load(source, { backends, ...options });
  try {
    const { y } = (await model.run(feeds)) as unknown as { y: { data: Float32Array } };
    expect(y.data).toEqual(Float32Array.of(3, 5, 7));
    return model.selection;
  } finally {
    await model.dispose();
  }
}

describe("load", () => {
  it("takes a path, a file URL and a module, and says what it chose", async () => {
    const files = Object.fromEntries(
      [...bundle.files.keys()].map((path) => [path, pathToFileURL(join(folder, path))]),
    );
    for (const source of [
      folder,
      `${folder}/`,
      join(folder, "manifest.json"),
      pathToFileURL(folder),
      { ...bundle, files },
    ]) {
      expect(await selectionOf(source)).toEqual({
        chosen: "cpu",
        target: "cpu",
        engine: expect.stringContaining("onnxruntime-node"),
        proven: true,
        tried: [{ variant: "cpu", target: "cpu", ok: true, reason: "passed the golden check" }],
      });
    }
  });

  it("decodes files that a bundler inlined, without a fetch", async () => {
    const inline = (path: string): string =>
      `data:application/octet-stream;base64,${Buffer.from(bundle.files.get(path) ?? []).toString("base64")}`;
    const files = Object.fromEntries([...bundle.files.keys()].map((path) => [path, inline(path)]));
    expect(await selectionOf({ ...bundle, files })).toMatchObject({ chosen: "cpu", proven: true });
  });

  it("goes by the order of the backends, and by the target asked for", async () => {
    expect(await selectionOf(folder, { backends: [wasm(), cpu()] })).toMatchObject({
      chosen: "wasm",
    });
    expect(await selectionOf(folder, { target: "wasm" })).toMatchObject({ chosen: "wasm" });
    await expect(load(folder, { backends, target: "aot" })).rejects.toMatchObject({
      code: "NO_VARIANT",
      message: expect.stringContaining("aot: no backend"),
    });
  });

  it("reports progress up to the whole", async () => {
    const seen: [number, number][] = [];
    await selectionOf(folder, {
      onProgress: ({ receivedBytes, totalBytes }) => seen.push([receivedBytes, totalBytes]),
    });
    const bytes = bundle.manifest.variants[0]?.files[0]?.bytes;
    expect(seen.at(-1)).toEqual([bytes, bytes]);
  });

  it("does not load once aborted", async () => {
    await expect(load(folder, { backends, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
    const abort = new AbortController();
    await expect(
      load(folder, { backends, signal: abort.signal, onProgress: () => abort.abort() }),
    ).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("does not wait once aborted: for a probe, an engine that loads, or a run that hangs", async () => {
    const never = new Promise<never>(() => {});
    const hung = async (): Promise<Session> => ({
      inputs: [],
      outputs: [],
      run: (_, signal) => new Queue().run(() => never, signal),
      dispose: () => never,
    });
    const another = async () =>
      ({ ok: true, engine: "another, of which nothing is proven" }) as const;
    const stucks = [{ probe: () => never }, { load: () => never }, { load: hung, probe: another }];
    for (const stuck of stucks) {
      const signal = AbortSignal.timeout(200);
      await expect(
        load(folder, { backends: [{ ...cpu(), ...stuck }], signal }),
      ).rejects.toMatchObject({ code: "ABORTED" });
    }
  });

  it("disposes of what was loaded after it was aborted", async () => {
    const abort = new AbortController();
    let dispose = (): void => {};
    const disposed = new Promise<void>((resolve) => (dispose = resolve));
    const late = async (): Promise<Session> => {
      abort.abort();
      return { inputs: [], outputs: [], run: async () => ({}), dispose: async () => dispose() };
    };
    await expect(
      load(folder, { backends: [{ ...cpu(), load: late }], signal: abort.signal }),
    ).rejects.toMatchObject({ code: "ABORTED" });
    await disposed;
  });

  it("lets go of what came of a file that is not to be had whole", async () => {
    const path = pathOf("cpu");
    await writeFile(
      join(folder, path),
      (bundle.files.get(path) ?? new Uint8Array()).map(() => 1),
    );
    let cancelled = 0;
    const incoming = { write() {}, module: async () => undefined, cancel: () => (cancelled += 1) };
    const receiving = { ...cpu(), receive: () => incoming };
    await expect(load(folder, { backends: [receiving] })).rejects.toMatchObject({
      code: "INTEGRITY",
    });
    expect(cancelled).toBe(1);
  });

  it("takes what a progress callback throws for nobody's failure but its own", async () => {
    const thrown: unknown[] = [];
    const own = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error));
    try {
      const onProgress = (): void => {
        throw new TypeError("bar is null");
      };
      await selectionOf(folder, { onProgress });
      expect(thrown).toEqual([new TypeError("bar is null")]);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const each of own) process.on("uncaughtException", each);
    }
  });

  it("refuses runs after dispose", async () => {
    const model = await load(folder, { backends });
    await model[Symbol.asyncDispose]();
    await expect(model.run(feeds)).rejects.toMatchObject({ code: "DISPOSED" });
  });

  it("leaves out backends that cannot run here, with the reason", async () => {
    const { tried } = await selectionOf(folder, {
      backends: [
        webgpu(),
        { ...cpu(), probe: () => Promise.reject(new Error("no library")) },
        wasm(),
      ],
    });
    expect(tried).toEqual([
      {
        variant: null,
        target: "webgpu",
        ok: false,
        reason: "the bundle has no variant for this target",
        code: "NO_VARIANT",
        hint: expect.stringContaining("pass its backend"),
      },
      { variant: null, target: "cpu", ok: false, reason: "no library", code: "ENGINE" },
      { variant: "wasm", target: "wasm", ok: true, reason: "passed the golden check" },
    ]);
  });

  it("takes a software GPU last, unless asked", async () => {
    const software: Backend = {
      ...wasm(),
      probe: async () => ({ ok: true, engine: "a software GPU", software: true }),
    };
    expect(await selectionOf(folder, { backends: [software, cpu()] })).toMatchObject({
      chosen: "cpu",
    });
    expect(
      await selectionOf(folder, { backends: [software, cpu()], allowSoftwareGpu: true }),
    ).toMatchObject({ chosen: "wasm" });
    expect(
      await selectionOf(folder, { backends: [software, cpu()], target: "wasm" }),
    ).toMatchObject({ chosen: "wasm" });
  });

  it("proves a variant once per engine", async () => {
    let runs = 0;
    const counted: Backend = {
      ...cpu(),
      probe: async () => ({ ok: true, engine: `counted ${folder}` }),
      async load(...args) {
        const session = await cpu().load(...args);
        return { ...session, run: (...run) => (runs++, session.run(...run)) };
      },
    };
    await selectionOf(folder, { backends: [counted] });
    await selectionOf(folder, { backends: [counted] });
    expect(runs).toBe(3);
  });

  it("says of an engine that fails in the golden check what failed, and goes on", async () => {
    const failing: Backend = {
      ...cpu(),
      probe: async () => ({ ok: true, engine: `failing ${folder}` }),
      async load(...args) {
        const session = await cpu().load(...args);
        const lost = new PareError("NO_MEMORY", "out of memory", { hint: "Use a smaller input." });
        return { ...session, run: () => Promise.reject(lost) };
      },
    };
    const { chosen, tried } = await selectionOf(folder, { backends: [failing, wasm()] });
    expect(chosen).toBe("wasm");
    expect(tried[0]).toMatchObject({ code: "NO_MEMORY", hint: "Use a smaller input." });
    await expect(load(folder, { backends: [failing] })).rejects.toMatchObject({
      code: "NO_MEMORY",
      cause: { message: "out of memory" },
    });
  });
});

async function damageFile(path: string): Promise<void> {
  const bytes = Uint8Array.from(bundle.files.get(path) ?? []);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(join(folder, path), bytes);
}

describe("a damaged bundle", () => {
  it.each<[string, () => Promise<void>, string, RegExp]>([
    ["one byte flipped", () => damageFile(pathOf("cpu")), "INTEGRITY", /is damaged: its sha256/],
    [
      "truncated",
      () =>
        writeFile(
          join(folder, pathOf("cpu")),
          (bundle.files.get(pathOf("cpu")) ?? new Uint8Array()).subarray(0, 40),
        ),
      "INTEGRITY",
      /has 40 bytes instead of/,
    ],
    [
      "missing",
      () => unlink(join(folder, pathOf("cpu"))),
      "BUNDLE_NOT_FOUND",
      /cannot be read: ENOENT/,
    ],
  ])("with a variant %s uses the next, and says why", async (_, damage, code, reason) => {
    await damage();
    const failed = { variant: "cpu", target: "cpu", ok: false, code };
    expect((await selectionOf(folder)).tried).toEqual([
      expect.objectContaining({ ...failed, reason: expect.stringMatching(reason) }),
      { variant: "wasm", target: "wasm", ok: true, reason: "passed the golden check" },
    ]);
  });

  it("with all variants damaged names every reason", async () => {
    for (const id of ["cpu", "wasm", "spare"]) await damageFile(pathOf(id));
    await expect(load(folder, { backends })).rejects.toMatchObject({
      code: "INTEGRITY",
      hint: expect.stringContaining("Copy the bundle again"),
      cause: { code: "INTEGRITY", where: pathOf("cpu") },
      tried: ["cpu", "wasm", "spare"].map((variant) => ({ variant, code: "INTEGRITY" })),
      message: expect.stringMatching(/- cpu: .*damaged[^]*- wasm: .*damaged[^]*- spare: .*damaged/),
    });
  });

  it("with a damaged or missing golden check is refused, unless asked", async () => {
    for (const damage of [
      () => damageFile("golden.json"),
      () => unlink(join(folder, "golden.json")),
    ]) {
      await damage();
      await expect(load(folder, { backends })).rejects.toMatchObject({
        code: "GOLDEN",
        message: expect.stringMatching(/cannot be proven/),
        hint: expect.stringContaining("allowUnproven"),
      });
      expect(await selectionOf(folder, { allowUnproven: true })).toMatchObject({
        chosen: "cpu",
        proven: false,
      });
    }
    const golden = { ...bundle.golden, cases: [] };
    await expect(load({ ...bundle, golden, files: {} }, { backends })).rejects.toMatchObject({
      code: "GOLDEN",
    });
  });

  it("whose variant gives other answers than recorded uses the next, even when unproven ones are allowed", async () => {
    const wrong: Backend = {
      ...cpu(),
      probe: async () => ({ ok: true, engine: "one that gives zeros" }),
      async load(...args) {
        const session = await cpu().load(...args);
        return {
          ...session,
          run: async () => ({ y: { type: "float32", dims: [2, 3], data: new Float32Array(6) } }),
        };
      },
    };
    const { chosen, tried } = await selectionOf(folder, {
      backends: [wrong, wasm()],
      allowUnproven: true,
    });
    expect(chosen).toBe("wasm");
    expect(tried[0]).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/not those recorded: output "y" at \d is 0/),
    });
  });

  it("that an engine refuses uses the next variant", async () => {
    const refusing: Backend = {
      ...wasm(),
      load: (artifact, options) => wasm().load({ ...artifact, format: "wasm" }, options),
    };
    expect(
      (await selectionOf(folder, { backends: [refusing, cpu()] })).tried.map(({ variant, ok }) => [
        variant,
        ok,
      ]),
    ).toEqual([
      ["wasm", false],
      ["spare", false],
      ["cpu", true],
    ]);
  });

  it.each<[string, string | object, string]>([
    ["damaged", "{", "BUNDLE_INVALID"],
    ["without a field", { name: undefined }, "BUNDLE_INVALID"],
    ["of a newer version", { formatVersion: 99 }, "BUNDLE_VERSION"],
    ["that is a page", "<!doctype html><title>Not found</title>", "BUNDLE_NOT_FOUND"],
  ])("with a manifest %s is an error", async (_, manifest, code) => {
    const text =
      typeof manifest === "string" ? manifest : JSON.stringify({ ...bundle.manifest, ...manifest });
    await writeFile(join(folder, "manifest.json"), text);
    await expect(load(folder, { backends })).rejects.toMatchObject({ code });
  });

  it("with a variant that needs what the device lacks uses the next", async () => {
    const [first, ...rest] = bundle.manifest.variants;
    const manifest = {
      ...bundle.manifest,
      variants: [{ ...first, requires: { features: ["shader-f16"] } }, ...rest],
    };
    await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
    expect((await selectionOf(folder)).tried[0]).toMatchObject({
      variant: "cpu",
      ok: false,
      code: "UNSUPPORTED_DEVICE",
      reason: "the device lacks shader-f16",
    });
  });

  it("with a variant that takes more memory than there is uses the next", async () => {
    const [first, ...rest] = bundle.manifest.variants;
    const requires = { features: [], memoryBytes: 2 * totalmem() };
    const variants = [{ ...first, requires }, ...rest];
    await writeFile(
      join(folder, "manifest.json"),
      JSON.stringify({ ...bundle.manifest, variants }),
    );
    expect((await selectionOf(folder)).tried[0]).toMatchObject({
      variant: "cpu",
      code: "UNSUPPORTED_DEVICE",
      reason: `the device lacks ${requires.memoryBytes} bytes of memory`,
    });
  });

  it("with a golden check of many elements is refused before they are made", async () => {
    const cases = bundle.golden.cases.map((one) => ({
      ...one,
      inputs: one.inputs.map((input) => ({ ...input, dims: [2_000_000_000] })),
    }));
    const bytes = new TextEncoder().encode(bundleJson({ ...bundle.golden, cases }));
    const golden = { path: "golden.json", bytes: bytes.length, sha256: sha256Sync(bytes) };
    await writeFile(join(folder, "golden.json"), bytes);
    await writeFile(join(folder, "manifest.json"), bundleJson({ ...bundle.manifest, golden }));
    await expect(load(folder, { backends })).rejects.toMatchObject({
      code: "BUNDLE_INVALID",
      message: expect.stringMatching(/inputs have \d+ elements/),
    });
  });

  it("is refused where its manifest or golden check is larger than any", async () => {
    const golden = { ...bundle.manifest.golden, bytes: 40_000 };
    await writeFile(join(folder, "manifest.json"), bundleJson({ ...bundle.manifest, golden }));
    await expect(load(folder, { backends })).rejects.toMatchObject({
      code: "BUNDLE_INVALID",
      message: expect.stringContaining("golden.bytes"),
    });
    const name = "x".repeat(5 * 2 ** 20);
    await writeFile(join(folder, "manifest.json"), bundleJson({ ...bundle.manifest, name }));
    await expect(load(folder, { backends })).rejects.toMatchObject({ code: "INTEGRITY" });
  });

  it.runIf(process.platform !== "win32")("does not wait for a pipe", async () => {
    await unlink(join(folder, pathOf("cpu")));
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(folder, pathOf("cpu"))]);
    await expect(load(folder, { backends: [cpu()] })).rejects.toMatchObject({
      code: "BUNDLE_NOT_FOUND",
      message: expect.stringContaining("not a file"),
    });
  });

  it("is not found where there is none", async () => {
    await expect(load(join(folder, "nowhere"), { backends })).rejects.toMatchObject({
      code: "BUNDLE_NOT_FOUND",
    });
  });

  it("differs from the manifest that was pinned", async () => {
    const pinned = sha256Sync(bundle.files.get("manifest.json") ?? new Uint8Array());
    for (const source of [folder, { ...bundle, files: {} }]) {
      await expect(
        load(source, { backends, integrity: `sha256-${"0".repeat(64)}` }),
      ).rejects.toMatchObject({ code: "INTEGRITY" });
    }
    expect(await selectionOf(folder, { integrity: pinned })).toMatchObject({ chosen: "cpu" });
    expect(
      await selectionOf(
        { ...bundle, files: filesAt(pathToFileURL(`${folder}/`)) },
        { integrity: pinned },
      ),
    ).toMatchObject({ chosen: "cpu" });
    await writeFile(
      join(folder, "manifest.json"),
      bundleJson({ ...bundle.manifest, name: "other" }),
    );
    await expect(load(folder, { backends, integrity: pinned })).rejects.toMatchObject({
      code: "INTEGRITY",
    });
  });
});

describe("a pinned bundle", () => {
  const pinned = (): string => sha256Sync(bundle.files.get("manifest.json") ?? new Uint8Array());
  /** One byte more of meaning: what was there before still parses. */
  const changed = async (path: string): Promise<void> => {
    const text = new TextDecoder().decode(bundle.files.get(path));
    await writeFile(
      join(folder, path),
      path.endsWith(".json") ? text.replace("seed", "Seed") : `${text} `,
    );
  };

  it.each(["manifest.json", "golden.json", "the variants"])(
    "runs nothing where %s is another",
    async (which) => {
      const paths = which === "the variants" ? ["cpu", "wasm", "spare"].map(pathOf) : [which];
      for (const path of paths)
        if (path === "manifest.json")
          await writeFile(join(folder, path), `${JSON.stringify(bundle.manifest)} `);
        else await changed(path);
      const error = await load(folder, { backends, integrity: pinned() }).then(
        (model) => model.selection,
        (failure: unknown) => failure,
      );
      expect(error).toMatchObject({ code: which === "golden.json" ? "GOLDEN" : "INTEGRITY" });
    },
  );

  it("covers the golden check and the variants of a module", async () => {
    const integrity = pinned();
    const files = filesAt(pathToFileURL(`${folder}/`));
    const golden = structuredClone(bundle.golden);
    const seeds = golden.cases.flatMap(({ inputs }) => inputs);
    for (const input of seeds) Object.assign(input, { seed: input.seed + 1 });
    await expect(load({ ...bundle, golden, files }, { backends, integrity })).rejects.toMatchObject(
      { code: "GOLDEN", cause: { cause: { code: "INTEGRITY" } } },
    );
    for (const id of ["cpu", "wasm", "spare"]) await damageFile(pathOf(id));
    await expect(load({ ...bundle, files }, { backends, integrity })).rejects.toMatchObject({
      code: "INTEGRITY",
    });
  });
});

function filesAt(base: URL): Record<string, URL> {
  return Object.fromEntries([...bundle.files.keys()].map((path) => [path, new URL(path, base)]));
}

function fileFor(url: string | undefined): Uint8Array | undefined {
  return bundle.files.get((url ?? "").replace("/kws.pare/", ""));
}

describe("over http", () => {
  let server: Server | undefined;
  afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

  async function serve(answer: RequestListener): Promise<string> {
    const started = createServer(answer);
    server = started;
    await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(started.address() as AddressInfo).port}/kws.pare/`;
  }

  it("loads static files", async () => {
    const url = await serve(({ url: path }, response) => response.end(fileFor(path)));
    for (const source of [url, url.slice(0, -1), new URL(url)])
      expect(await selectionOf(source)).toMatchObject({ chosen: "cpu" });
  });

  it("asks by the app's own fetch", async () => {
    const url = await serve(({ url: path, headers }, response) => {
      if (headers["authorization"] !== "Bearer x") response.writeHead(403).end();
      else response.end(fileFor(path));
    });
    const fetch = (where: string, init: RequestInit): Promise<Response> =>
      globalThis.fetch(where, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: "Bearer x" },
      });
    expect(await selectionOf(url, { fetch })).toMatchObject({ chosen: "cpu", proven: true });
    await expect(load(url, { backends })).rejects.toMatchObject({ code: "NETWORK" });
  });

  it("resumes a download that broke off where it stopped", async () => {
    const ranges: (string | undefined)[] = [];
    const url = await serve(({ url: path, headers }, response) => {
      const bytes = fileFor(path) ?? new Uint8Array();
      if (!path?.includes("variants")) return response.end(bytes);
      ranges.push(headers.range);
      const from = Number(/bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
      if (from > 0) return response.writeHead(206).end(bytes.subarray(from));
      response
        .writeHead(200, { "content-length": bytes.length })
        .write(bytes.subarray(0, 50), () => response.destroy());
    });
    expect(await selectionOf(url)).toMatchObject({ chosen: "cpu" });
    expect(ranges).toEqual([undefined, "bytes=50-"]);
  });

  it("gives up on a server that keeps failing, with the next variant, then with an error", async () => {
    const url = await serve(({ url: path }, response) => {
      if (path?.includes(pathOf("cpu"))) response.writeHead(503).end();
      else response.end(fileFor(path));
    });
    expect((await selectionOf(url)).tried[0]).toMatchObject({
      variant: "cpu",
      ok: false,
      reason: expect.stringContaining("503"),
    });
    await expect(load(`${url}../`, { backends })).rejects.toMatchObject({ code: "BUNDLE_INVALID" });
  });

  it("says that the golden check did not come, which is no damage", async () => {
    const url = await serve(({ url: path }, response) => {
      if (path?.includes("golden")) response.writeHead(403).end();
      else response.end(fileFor(path));
    });
    await expect(load(url, { backends })).rejects.toMatchObject({ code: "NETWORK" });
  });

  it("knows a page from a manifest, and a 404", async () => {
    const url = await serve(({ url: path }, response) => {
      if (path?.startsWith("/gone")) response.writeHead(404).end("no");
      else response.writeHead(200, { "content-type": "text/html" }).end("\n<!DOCTYPE html><p>app");
    });
    await expect(load(url, { backends })).rejects.toMatchObject({
      code: "BUNDLE_NOT_FOUND",
      hint: expect.stringContaining("public"),
    });
    await expect(load(new URL("/gone/", url), { backends })).rejects.toMatchObject({
      code: "BUNDLE_NOT_FOUND",
      hint: expect.stringContaining("public"),
    });
  });

  it("names a file that is not there, and what may have left it out", async () => {
    const url = await serve(({ url: path }, response) => {
      if (path?.includes(pathOf("cpu"))) response.writeHead(404).end();
      else response.end(fileFor(path));
    });
    expect((await selectionOf(url)).tried[0]).toMatchObject({
      code: "BUNDLE_NOT_FOUND",
      reason: expect.stringMatching(new RegExp(`404 for \\S+/${pathOf("cpu")}\\.$`)),
      hint: expect.stringContaining("bundler"),
    });
  });

  it("refuses a file that is longer than it should be, without taking it all", async () => {
    const url = await serve(({ url: path }, response) => {
      if (path?.includes(pathOf("cpu"))) response.end(new Uint8Array(1 << 20));
      else response.end(fileFor(path));
    });
    expect((await selectionOf(url)).tried[0]).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/more than the \d+ bytes/),
    });
  });

  it("says that a server does not answer", async () => {
    await expect(load("http://127.0.0.1:1/x.pare", { backends })).rejects.toMatchObject({
      code: "NETWORK",
    });
  });
});
