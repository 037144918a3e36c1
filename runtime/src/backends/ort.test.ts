import { describe, expect, it } from "vitest";
import { importEngine, type Ort } from "./ort.js";

const engineOf = (common: string): Promise<Ort> =>
  Promise.resolve({ env: { versions: { common } } } as unknown as Ort);

describe("an engine", () => {
  it.each(["1.20.1", "1.21.0", "0.9.0"])("of version %s is refused", async (version) => {
    await expect(importEngine("onnxruntime-web", () => engineOf(version))).rejects.toMatchObject({
      code: "ENGINE_VERSION",
      message: `onnxruntime-web ${version} is too old.`,
      hint: expect.stringContaining("1.22 or later"),
    });
  });

  it.each(["1.22.0", "1.30.0-dev.1", "2.0.0"])("of version %s is taken", async (version) => {
    expect(await importEngine("onnxruntime-web", () => engineOf(version))).toBeDefined();
  });

  it("that is not there is named, with the cause", async () => {
    const cause = new Error("Cannot find package");
    await expect(
      importEngine("onnxruntime-node", () => Promise.reject(cause)),
    ).rejects.toMatchObject({
      code: "ENGINE_MISSING",
      hint: "Install it: npm install onnxruntime-node",
      cause,
    });
  });
});
