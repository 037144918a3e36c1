import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { modelAtCommit } from "./git-model.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-git-"));
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rm(folder, { recursive: true }));

const missing = (message: RegExp, hint: RegExp): unknown =>
  expect.objectContaining({
    code: "MODEL_NOT_FOUND",
    where: "HEAD~1:m.onnx",
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });

it("says that git is not installed", () => {
  // Nothing is found in an empty folder.
  vi.stubEnv("PATH", folder);
  expect(() => modelAtCommit(join(folder, "m.onnx"), "HEAD~1")).toThrow(
    missing(/^git has no m\.onnx at HEAD~1: git is not installed\.$/, /^Install git/),
  );
});

it("says that the model's folder is not there", () => {
  const absent = join(folder, "absent");
  expect(() => modelAtCommit(join(absent, "m.onnx"), "HEAD~1")).toThrow(
    missing(/: there is no folder .*absent\.$/, /^Check the path/),
  );
});

it("says what git does where it has no such commit", () => {
  vi.stubEnv("GIT_CEILING_DIRECTORIES", tmpdir());
  expect(() => modelAtCommit(join(folder, "m.onnx"), "HEAD~1")).toThrow(
    missing(/: fatal: not a git repository/i, /fetch-depth/),
  );
});

it.each(["--help", "-x"])("gives git no option for a commit: %s", (ref) => {
  expect(() => modelAtCommit(join(folder, "m.onnx"), ref)).toThrow(
    expect.objectContaining({ code: "ARGUMENT", where: "--base" }),
  );
});
