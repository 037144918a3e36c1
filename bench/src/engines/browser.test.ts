import { chmod, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxArtifact } from "@pare/runtime/format";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { EngineBrowser } from "./browser.js";
import { Chromium, type ChromiumOptions } from "./chromium.js";
import { DevToolsPipe } from "./devtools-pipe.js";
import { findBrowser } from "./find-browser.js";
import { EngineHost, type LoadedModel } from "./host.js";

const executable = await findBrowser();
const file = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const digit = {
  x: { type: "float32", dims: [1, 1, 28, 28], data: new Float32Array(784).fill(0.5) },
} as const;
/** Nothing listens there. */
const nowhere = "http://127.0.0.1:9/";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.skipIf(executable === null)("a browser of engines", () => {
  const artifact = readFile(file).then((bytes) => onnxArtifact(bytes));
  const started = vi.spyOn(Chromium, "start");
  const { call } = DevToolsPipe.prototype;
  let tell: (method: string) => Promise<void>;
  let engines: EngineBrowser;
  let host: EngineHost;
  beforeAll(async () => {
    vi.spyOn(DevToolsPipe.prototype, "call").mockImplementation(function (
      this: DevToolsPipe,
      ...asked
    ) {
      // Asks the browser that was asked last, behind the back of what drives it; it is gone by the answer.
      tell = async (method) =>
        void (await call
          .bind(this)(method, {}, asked[2])
          .catch(() => {}));
      return call.apply(this, asked);
    });
    engines = await EngineBrowser.launch();
    host = await EngineHost.start("wasm", () => engines.openChannel("wasm"));
  });
  afterAll(async () => {
    await host?.dispose();
    await engines?.dispose();
    vi.restoreAllMocks();
  });

  /** Runs until it fails: a warm-up by itself ends when times settle. */
  const busyWith = async (model: LoadedModel): Promise<never> => {
    for (;;) await host.warmUp([model], [digit], 60_000);
  };

  const losesWhatRuns = async (how: RegExp, end: () => Promise<void>): Promise<void> => {
    const running = busyWith(await host.load(await artifact));
    const lost = expect(running).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(how),
    });
    await end();
    await lost;
  };

  it("starts again after its page crashed, which costs no more than what was running", async () => {
    const model = await host.load(await artifact);
    await losesWhatRuns(/its page crashed/, () => tell("Page.crash"));
    await expect(host.run(model, digit)).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    const again = await host.load(await artifact);
    expect((await host.run(again, digit))["logits"]?.dims).toEqual([1, 10]);
    expect(started).toHaveBeenCalledTimes(2);
  });

  it("starts again after it ended, once for all engines", async () => {
    await losesWhatRuns(/the browser ended/, () => tell("Browser.close"));
    const [again, cold] = await Promise.all([
      host.load(await artifact),
      EngineHost.start("wasm", () => engines.openChannel("wasm")),
    ]);
    expect((await host.run(again, digit))["logits"]?.dims).toEqual([1, 10]);
    await cold.dispose();
    expect(started).toHaveBeenCalledTimes(3);
  });

  it("tries again after a start that failed", async () => {
    await losesWhatRuns(/the browser ended/, () => tell("Browser.close"));
    started.mockRejectedValueOnce(new Error("There is no memory."));
    await expect(engines.openChannel("wasm")).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(/does not start: There is no memory/),
    });
    const cold = await EngineHost.start("wasm", () => engines.openChannel("wasm"));
    await cold.dispose();
  });

  it("starts no engine once it was disposed of, which is a crash like others", async () => {
    const before = started.mock.calls.length;
    await engines.dispose();
    await expect(engines.openChannel("wasm")).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(/does not start: The browser was ended/),
    });
    expect(started).toHaveBeenCalledTimes(before);
  });
});

describe.skipIf(executable === null)("a browser with one page", () => {
  let options: Omit<ChromiumOptions, "url">;
  /** It names the process. */
  let lock: string;
  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), "pare-test-"));
    options = { executable: executable ?? "", folder, onGone: () => {} };
    lock = join(folder, "profile/SingletonLock");
  });
  afterEach(() => rm(options.folder, { recursive: true, force: true, maxRetries: 5 }));

  it("tells that a script failed, and what was said", async () => {
    const chromium = await Chromium.start({ ...options, url: "about:blank" });
    await expect(chromium.evaluate("null.nothing")).rejects.toThrow(/script failed.*TypeError/);
    await expect(chromium.evaluate("globalThis.nothing")).resolves.toBeUndefined();
    await chromium.close();
    await expect(chromium.evaluate("1")).rejects.toThrow(/ended/);
  });

  it("is ended where its page does not open", async () => {
    const onGone = vi.fn();
    await expect(Chromium.start({ ...options, url: nowhere, onGone })).rejects.toThrow(
      /page does not open: "net::ERR/,
    );
    expect(isRunning(await browserIn(lock))).toBe(false);
    expect(onGone).not.toHaveBeenCalled();
  });

  it.skipIf(process.platform === "win32")("ends with the process that started it", async () => {
    const module = new URL("../../dist/engines/chromium.js", import.meta.url);
    const script = `
      import { Chromium } from ${JSON.stringify(module.href)};
      const options = ${JSON.stringify({ ...options, url: "about:blank" })};
      await Chromium.start({ ...options, onGone() {} });
      console.log("started");
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(parent.stdout, "data");
    const browser = await browserIn(lock);
    expect(isRunning(browser)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isRunning(browser)).toBe(false), { timeout: 20_000 });
  });
});

/** A script in a browser's place. */
describe.skipIf(process.platform === "win32")("what is no browser", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "pare-test-"))));
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  const script = async (...lines: readonly string[]): Promise<string> => {
    const path = join(folder, "chromium");
    await writeFile(path, ["#!/bin/sh", ...lines, ""].join("\n"));
    await chmod(path, 0o755);
    vi.stubEnv("PARE_CHROMIUM", path);
    return path;
  };

  it.each([
    ["that ends", ["echo no screen >&2", "echo no memory >&2", "exit 3"], "It ended with status 3: no memory."],
    ["that says why", ["echo '[1:2:FATAL:a.cc] no socket' >&2", "echo no file >&2", "exit 1"], "It ended with status 1: no socket."],
    ["that speaks otherwise", ["printf 'hello\\0' >&4", "sleep 9"], "It does not speak DevTools' protocol."],
    ["that answers otherwise", [`printf '{"id":1,"result":[]}\\0' >&4`, "sleep 9"], "The browser's answer has no product."],
    ["that refuses", [`printf '{"id":1,"error":7}\\0' >&4`, "sleep 9"], "Browser.getVersion: it is refused."],
  ])("does not start, and is told: one %s", async (_, lines, reason) => {
    const path = await script(...lines);
    await expect(EngineBrowser.launch({ folder })).rejects.toMatchObject({
      code: "ENGINE",
      message: `The browser at ${path} does not start: ${reason}`,
    });
  }); // prettier-ignore

  it("does not start: one that the system does not", async () => {
    await writeFile(await script(), "\u0000");
    await expect(EngineBrowser.launch({ folder })).rejects.toMatchObject({ code: "ENGINE" });
  });

  it("is ended while it starts", async () => {
    await script("sleep 99");
    const signal = AbortSignal.timeout(100);
    await expect(EngineBrowser.launch({ folder, signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  // Where there is a command that takes a process out of its group.
  it.skipIf(executable === null || process.platform !== "linux")(
    "ends, also where something that it started holds its output",
    async () => {
      const pid = join(folder, "pid");
      await script(
        `setsid sh -c 'echo $$ > ${pid}; exec sleep 60' &`,
        `exec ${executable ?? ""} "$@"`,
      );
      const engines = await EngineBrowser.launch({ folder: join(folder, "profile") });
      const began = performance.now();
      await engines.dispose();
      expect(performance.now() - began).toBeLessThan(30_000);
      process.kill(Number(await readFile(pid, "utf8")), "SIGKILL");
    },
  );

  it.skipIf(executable === null)("has no sandbox where the system lets it have none", async () => {
    vi.spyOn(process, "getuid").mockReturnValue(1000);
    await script(
      `case "$*" in *--no-sandbox*) exec ${executable ?? ""} "$@";; esac`,
      "echo '[1:2:FATAL:host.cc] No usable sandbox! Update your kernel.' >&2",
      "exit 133",
    );
    const engines = await EngineBrowser.launch({ folder });
    expect(engines.name).toMatch(/^Chromium \d+$/);
    await engines.dispose();
    vi.restoreAllMocks();
  });

  it.skipIf(executable === null)(
    "keeps no socket under a path that is too long for it",
    async () => {
      const long = join(folder, "long".repeat(30));
      await mkdir(long);
      const engines = await EngineBrowser.launch({ folder: long });
      await engines.dispose();
    },
  );
});

async function browserIn(lock: string): Promise<number> {
  return Number((await readlink(lock)).split("-").at(-1));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
