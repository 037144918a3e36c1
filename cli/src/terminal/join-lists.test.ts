import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinLists } from "./join-lists.js";
import { bytes, collectNames, collectPairs, milliseconds } from "./option-values.js";

describe("joinLists", () => {
  it.each([
    ["commas", ["--target", "cpu,wasm", "m.onnx"]],
    ["spaces", ["--target", "cpu", "wasm", "m.onnx"]],
    ["a comma and a space", ["--target", "cpu,", "wasm", "m.onnx"]],
    ["one argument with spaces", ["--target", "cpu wasm", "m.onnx"]],
    ["an equals sign", ["--target=cpu", "wasm", "m.onnx"]],
    ["repetition", ["--target", "cpu", "--target", "wasm", "m.onnx"]],
  ])("takes a list with %s, and leaves the model alone", (_, argv) => {
    const joined = joinLists(argv);
    expect(joined.at(-1)).toBe("m.onnx");
    const values = joined.filter((_, at) => joined[at - 1] === "--target");
    expect(
      values.reduce<readonly string[]>((before, value) => collectNames(value, before), []),
    ).toEqual(["cpu", "wasm"]);
  });

  it("does not lose a wrong item", () => {
    expect(joinLists(["--target", "gpu", "m.onnx"])).toEqual(["--target", "gpu", "m.onnx"]);
    expect(joinLists(["m.onnx", "--target"])).toEqual(["m.onnx", "--target"]);
  });

  it("says any order of the same items the same", () => {
    const separator = fc.constantFrom(",", " ", ", ");
    fc.assert(
      fc.property(
        fc.subarray(["cpu", "wasm", "webgpu"], { minLength: 1 }),
        separator,
        fc.boolean(),
        (targets, by, split) => {
          const argv = split ? ["--target", ...targets] : ["--target", targets.join(by)];
          const [, value = ""] = joinLists([...argv, "--json"]);
          expect(collectNames(value)).toEqual(targets);
        },
      ),
    );
  });

  it("keeps spaces and commas inside a file's name", () => {
    const [flag, value = ""] = joinLists(["--report", "html=my report.html", "md=a.md", "m.onnx"]);
    expect(flag).toBe("--report");
    expect(collectPairs("--report")(value)).toEqual([
      ["html", "my report.html"],
      ["md", "a.md"],
    ]);
    expect(collectPairs("--dim")("a=1,2,b=3")).toEqual([
      ["a", "1,2"],
      ["b", "3"],
    ]);
  });

  it.each([
    ["--const", "sr=16000", "gain=2"],
    ["--dim", "a=1", "b=2"],
    ["--input", "x=a.npy", "y=b.npy"],
    ["--shape", "a=1x3", "b=2x2"],
  ])("takes pairs of %s with a comma and a space between them", (flag, first, second) => {
    expect(joinLists([flag, `${first},`, second, "m.onnx"])).toEqual([
      flag,
      `${first},${second}`,
      "m.onnx",
    ]);
  });

  it("takes pairs with spaces between them", () => {
    const joined = joinLists([
      "m.onnx",
      "--shape",
      "a=1x3",
      "b=2x2",
      "--dim",
      "n=1",
      "m=2",
      "-o",
      "out",
    ]);
    expect(joined).toEqual(["m.onnx", "--shape", "a=1x3,b=2x2", "--dim", "n=1,m=2", "-o", "out"]);
  });
});

describe("values of options", () => {
  it("reads sizes and times in their units", () => {
    expect(["500kB", "1.5MB", "2MiB", "77"].map(bytes("--max-size"))).toEqual([
      500_000,
      1_500_000,
      2 * 2 ** 20,
      77,
    ]);
    expect(["2m", "90s", "500ms", "3"].map(milliseconds("--time-budget", "s"))).toEqual([
      120_000, 90_000, 500, 3_000,
    ]);
  });

  it.each([
    () => bytes("--max-size")("big"),
    () => bytes("--max-size")("0"),
    () => milliseconds("--time-budget", "s")("-1"),
    () => collectPairs("--shape")("1x2"),
    () => collectPairs("--shape")("=1x2"),
  ])("refuses what is none (%#)", (parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  });
});
