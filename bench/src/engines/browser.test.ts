import { chmod, mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxArtifact } from "@pare/runtime/format";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { EngineBrowser } from "./browser.js";
import { Chromium } from "./chromium.js";
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
  const path = executable ?? "";
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "pare-test-"))));
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  it("tells that a script failed, and what was said", async () => {
    const chromium = await Chromium.start(path, folder, "about:blank", () => {});
    await expect(chromium.evaluate("null.nothing")).rejects.toThrow(/script failed.*TypeError/);
    await expect(chromium.evaluate("globalThis.nothing")).resolves.toBeUndefined();
    await chromium.close();
    await expect(chromium.evaluate("1")).rejects.toThrow(/ended/);
  });

  it("is ended where its page does not open", async () => {
    const gone: string[] = [];
    await expect(
      Chromium.start(path, folder, nowhere, (how) => void gone.push(how)),
    ).rejects.toThrow(/page does not open: "net::ERR/);
    expect(gone).toEqual(["the browser ended"]);
  });

  it.skipIf(process.platform === "win32")("ends with the process that started it", async () => {
    const module = new URL("../../dist/engines/chromium.js", import.meta.url);
    const script = `
      import { Chromium } from ${JSON.stringify(module.href)};
      const [path, folder] = ${JSON.stringify([path, folder])};
      await Chromium.start(path, folder, "about:blank", () => {});
      console.log("started");
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(parent.stdout, "data");
    const browser = Number(
      (await readlink(join(folder, "profile/SingletonLock"))).split("-").at(-1),
    );
    expect(isRunning(browser)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isRunning(browser)).toBe(false), { timeout: 20_000 });
  });
});

describe.skipIf(process.platform === "win32")("what is no browser", () => {
  it("does not start, and what it said is told", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pare-test-"));
    try {
      const path = join(folder, "chromium");
      await writeFile(path, "#!/bin/sh\necho no screen >&2\necho no memory >&2\nexit 3\n");
      await chmod(path, 0o755);
      vi.stubEnv("PARE_CHROMIUM", path);
      await expect(EngineBrowser.launch(folder)).rejects.toMatchObject({
        code: "ENGINE",
        message: `The browser at ${path} does not start: It ended with status 3: no memory`,
      });
      await writeFile(path, "\u0000");
      await expect(EngineBrowser.launch(folder)).rejects.toMatchObject({ code: "ENGINE" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
