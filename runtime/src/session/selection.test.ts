import { describe, expect, it } from "vitest";
import { isPareError, PareError } from "../format/error.js";
import { Attempts, LoadError } from "./selection.js";

describe("a load that fails", () => {
  it("has code, place, hint and cause of what is most worth mending, and every attempt", () => {
    const cause = new Error("404");
    const attempts = new Attempts();
    attempts.refuse(null, "webnn", new PareError("NO_VARIANT", "none for this target"));
    attempts.refuse(
      null,
      "webgpu",
      new PareError("UNSUPPORTED_DEVICE", "There is no WebGPU here."),
    );
    attempts.refuse("a", "wasm", new PareError("GOLDEN", "other answers"));
    attempts.refuse(
      "b",
      "wasm",
      new PareError("ENGINE_NOT_FOUND", "no file", { where: "/x.wasm", hint: "Serve it.", cause }),
    );
    attempts.refuse("c", "wasm", new PareError("INTEGRITY", "damaged"));
    const error = new LoadError("kws", attempts);
    expect(isPareError(error)).toBe(true);
    expect(error).toMatchObject({
      name: "PareError",
      code: "ENGINE_NOT_FOUND",
      where: "/x.wasm",
      hint: "Serve it.",
      cause: { code: "ENGINE_NOT_FOUND", cause },
    });
    expect(error.tried.map(({ code }) => code)).toEqual([
      "NO_VARIANT",
      "UNSUPPORTED_DEVICE",
      "GOLDEN",
      "ENGINE_NOT_FOUND",
      "INTEGRITY",
    ]);
    expect(error.message).toBe(
      "No variant of kws runs here:\n- webnn: none for this target\n- webgpu: There is no WebGPU here.\n- a: other answers\n- b: no file\n- c: damaged",
    );
    expect(structuredClone(error.tried)).toEqual(error.tried);
  });

  it("is an engine's where a backend throws what is no PareError", () => {
    const attempts = new Attempts();
    const cause = new TypeError("x is undefined");
    attempts.refuse(null, "cpu", cause);
    expect(new LoadError("kws", attempts)).toMatchObject({ code: "ENGINE", cause: { cause } });
  });

  it("is NO_VARIANT where nothing was tried", () => {
    expect(new LoadError("kws", new Attempts())).toMatchObject({
      code: "NO_VARIANT",
      message: "No variant of kws runs here: no backend was passed.",
    });
  });
});
