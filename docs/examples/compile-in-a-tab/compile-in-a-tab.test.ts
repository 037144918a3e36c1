import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import type { Browser, Page } from "playwright-core";
import { encodeModel, importModel } from "@pare/compiler";
import { load } from "@pare/runtime";
import { aot } from "@pare/runtime/aot";
import { byteSource, onnxArtifact, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "vite";
import { graphModel, side, writeModel } from "../../../cli/src/stripes.test.support.js";
import { block } from "../../guides/guide.test.support.js";
import { chromiumPath, launchChromium } from "../testing/chromium.js";
import { serve, type Server } from "../testing/serve.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const workplace = fileURLToPath(
  new URL("../../../.cache/examples/compile-in-a-tab", import.meta.url),
);
const numbers = (data: Iterable<unknown>): number[] => Array.from(data, Number);
const model = (name: string): Promise<Buffer> =>
  readFile(new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url));

it("is what the guide shows", async () => {
  const code = await readFile(join(here, "src/compile.js"), "utf8");
  expect(code).toBe(await block("compile-in-a-tab", "js"));
});

describe.skipIf(chromiumPath === null)(
  "a page that compiles (skipped where no Chromium is installed)",
  () => {
    let browser: Browser;
    let server: Server;
    let page: Page;
    beforeAll(async () => {
      await rm(workplace, { recursive: true, force: true });
      const outDir = join(workplace, "dist");
      await build({ root: here, logLevel: "error", build: { outDir, emptyOutDir: true } });
      server = await serve(outDir);
      browser = await launchChromium();
      page = await browser.newPage();
      await page.goto(server.url);
    });
    afterAll(async () => {
      await browser.close();
      await server.close();
      await rm(workplace, { recursive: true, force: true });
    });

    /** What the page says at last of files that are dropped on it. */
    const drop = async (
      ...dropped: readonly (readonly [string, Uint8Array])[]
    ): Promise<string> => {
      const given = dropped.map(([name, bytes]) => ({
        name,
        text: Buffer.from(bytes).toString("base64"),
      }));
      const files = await page.evaluateHandle((all) => {
        const transfer = new DataTransfer();
        for (const { name, text } of all) {
          const content = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          transfer.items.add(new File([content], name));
        }
        return transfer;
      }, given);
      await page.dispatchEvent("#drop", "drop", { dataTransfer: files });
      return settled();
    };
    const settled = async (): Promise<string> => {
      const status = page.getByRole("status");
      await expect.poll(() => status.textContent(), { timeout: 60_000 }).not.toMatch(/^Compiling/);
      return (await status.textContent()) ?? "";
    };
    const reasons = (): Promise<string[]> => page.locator("li").allTextContents();

    /** The folder that was in the archive which a click on the link downloads. */
    const downloaded = async (): Promise<string> => {
      const coming = page.waitForEvent("download");
      await page.getByText("Download the bundle").click();
      const archive = await readFile(await (await coming).path());
      const entries = Object.entries(unzipSync(new Uint8Array(archive)));
      for (const [path, content] of entries) {
        await mkdir(dirname(join(workplace, path)), { recursive: true });
        await writeFile(join(workplace, path), content);
      }
      const [folder = ""] = entries[0]?.[0].split("/") ?? [];
      return join(workplace, folder);
    };
    const expectSame = async (folder: string, bytes: Uint8Array, feeds: Tensors): Promise<void> => {
      const compiled = await load(folder, { backends: [aot()] });
      const session = await cpu().load(onnxArtifact(bytes));
      try {
        expect(compiled.selection).toMatchObject({ chosen: "aot-float32", proven: true });
        const [own, expected] = [await compiled.run(feeds), await session.run(feeds)];
        for (const [name, { data }] of Object.entries(expected))
          expect(numbers(own[name]?.data ?? [])).toEqual(
            numbers(data).map((value) => expect.closeTo(value, 4)),
          );
      } finally {
        await compiled.dispose();
        await session.dispose();
      }
    };
    const image = (...dims: readonly number[]): Tensors => {
      const count = dims.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101);
      return { x: { type: "float32", dims, data } };
    };

    it("gives a bundle of what is dropped on it, which runs and answers as the engine does", async () => {
      const bytes = await model("mnist-cnn");
      expect(await drop(["digits.onnx", bytes])).toMatch(
        /^digits\.onnx: \d+ bytes are \d+ bytes of modules\. .*fixed to 1/,
      );
      expect(await reasons()).toEqual(
        expect.arrayContaining([expect.stringMatching(/^\d × Conv$/)]),
      );
      await expectSame(await downloaded(), bytes, image(1, 1, 28, 28));
    });

    it("takes a model.json of TensorFlow.js with its weights, whatever else lies beside them", async () => {
      const folder = join(workplace, "stripes");
      await writeModel(folder, graphModel);
      await writeFile(join(folder, "metadata.json"), "{}");
      const paths = graphModel.weightsManifest.flatMap((group) => group.paths);
      const names = ["metadata.json", "model.json", ...paths];
      const files = await Promise.all(
        names.map(async (name) => [name, await readFile(join(folder, name))] as const),
      );
      await page.locator("#options").fill("");
      expect(await drop(...files)).toMatch(/^model\.json: \d+ bytes are \d+ bytes of modules/);
      const beside = new Map(files.map(([name, bytes]) => [name, byteSource(bytes)]));
      const main = byteSource(await readFile(join(folder, "model.json")));
      const { proto } = await encodeModel(await importModel({ name: "model.json", main, beside }));
      await expectSame(await downloaded(), proto, image(1, side, side, 1));
      expect(await drop(...files.slice(0, 3))).toMatch(/group1-shard2of2\.bin/);
    });

    it("says every reason against a model, and compiles it once its sizes are given", async () => {
      const bytes = await model("ocr-direction");
      await page.locator("#options").fill("");
      expect(await drop(["direction.onnx", bytes])).toBe("direction.onnx does not compile.");
      expect((await reasons()).join("\n")).toMatch(
        /its size is not fixed[^]*its size is not fixed/,
      );
      expect(await page.getByText("Download the bundle").isVisible()).toBe(false);
      await page.locator("#options").fill("--shape x=1x3x48x192");
      await page.getByText("Compile again").click();
      expect(await settled()).toMatch(/bytes of modules/);
      await expectSame(await downloaded(), bytes, image(1, 3, 48, 192));
    });

    it("takes the options that it names, values of inputs too", async () => {
      await page.locator("#options").fill("--shape input=1x576 --shape state=2x1x128");
      expect(await drop(["speech.onnx", await model("silero-vad-v5")])).toMatch(/does not compile/);
      expect((await reasons()).join("\n")).toContain("give --const sr=…");
      await page
        .locator("#options")
        .fill("--shape input=1x576 --shape state=2x1x128 --const sr=16000");
      await page.getByText("Compile again").click();
      expect(await settled()).toMatch(/bytes of modules/);
    });

    it("says what is wrong with a file, and shows names as text", async () => {
      await page.locator("#options").fill("");
      const name = "<img src=x onerror=alert(1)>.onnx";
      const said = await drop([name, new TextEncoder().encode("no model at all")]);
      expect(said).toContain(`${name}: `);
      expect(said).toMatch(/ONNX/);
      expect(await page.locator("img").count()).toBe(0);
      await page.locator("#options").fill("nonsense");
      expect(await drop(["digits.onnx", await model("mnist-cnn")])).toMatch(
        /"nonsense" is no option/,
      );
    });
  },
);
