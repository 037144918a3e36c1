import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
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

it("follows links as they were at the commit, and knows a folder", async () => {
  const top = join(folder, "repository");
  await mkdir(join(top, "models"), { recursive: true });
  await writeFile(join(top, "models/m.onnx"), "the model");
  await symlink("models/m.onnx", join(top, "linked.onnx"));
  await symlink("../linked.onnx", join(top, "models/twice.onnx"));
  await symlink("itself.onnx", join(top, "itself.onnx"));
  const git = (...args: readonly string[]) => execFileSync("git", args, { cwd: top });
  git("init", "-q");
  git("add", "-A");
  git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all");
  await writeFile(join(top, "models/m.onnx"), "another one");
  const read = async (path: string): Promise<string> => {
    const { main } = modelAtCommit(join(top, path), "HEAD");
    return new TextDecoder().decode(await main.read(0, main.size));
  };
  expect(await read("models/m.onnx")).toBe("the model");
  expect(await read("linked.onnx")).toBe("the model");
  expect(await read("models/twice.onnx")).toBe("the model");
  expect(await read("itself.onnx")).toBe("itself.onnx"); // which is no model
  await expect(read("models")).rejects.toThrow("models is a folder at HEAD");
});
