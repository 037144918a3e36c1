import { expect, it } from "vitest";
import { outputFiles } from "./output-files.js";

it.each<readonly [string, readonly string[], readonly string[]]>([
  ["by its name", ["logits", "net_1.0/out"], ["logits.npy", "net_1.0_out.npy"]],
  ["with a number where two names come to one", ["a:0", "a/0"], ["a_0.npy", "a_0-2.npy"]],
  ["and no other's name", ["a:0", "a_0-2", "a_0"], ["a_0-3.npy", "a_0-2.npy", "a_0.npy"]],
  ["whatever letters it is in", ["出力", "結果"], ["__.npy", "__-2.npy"]],
  ["where capitals count for nothing", ["y", "Y"], ["y.npy", "Y-2.npy"]],
  ["and one that is a file's keeps it", ["y", "Y", "Y-2"], ["y.npy", "Y-3.npy", "Y-2.npy"]],
])("an output has a file of its own, %s", (_, names, files) => {
  const found = outputFiles(names);
  expect(names.map((name) => found.get(name))).toEqual(files);
});
