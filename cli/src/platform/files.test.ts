import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExternalFiles } from "./external-files.js";
import { fileError } from "./file-error.js";
import { openFileSource } from "./file-source.js";
import { modelName } from "./open-model.js";
import { writeFileAtomic } from "./write-file.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-files-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const failure = (code: string, cause = Object.assign(new Error(code), { code })) =>
  fileError(cause, "f", "MODEL_NOT_FOUND").code;

describe("a file as a source", () => {
  it("is read where it is asked for, and not beyond its end", async () => {
    const path = join(folder, "f");
    await writeFile(path, "0123456789");
    const source = openFileSource(path);
    expect(source.size).toBe(10);
    expect(Buffer.from(await source.read(3, 4)).toString()).toBe("3456");
    await expect(source.read(8, 3)).rejects.toMatchObject({ code: "MODEL_TRUNCATED" });
    await expect(source.read(-1, 3)).rejects.toMatchObject({ code: "MODEL_TRUNCATED" });
    source.close();
    source.close();
  });

  it("is refused where there is none, or a folder", () => {
    expect(() => openFileSource(join(folder, "absent"))).toThrow(
      expect.objectContaining({ code: "MODEL_NOT_FOUND" }),
    );
    expect(() => openFileSource(folder, "DATA_NOT_FOUND")).toThrow(
      expect.objectContaining({ code: "DATA_NOT_FOUND" }),
    );
  });

  it("names what the system says", () => {
    expect(
      ["ENOENT", "EACCES", "EROFS", "ENOSPC", "EMFILE", "ENOMEM", "EIO"].map((code) =>
        failure(code),
      ),
    ).toEqual([
      "MODEL_NOT_FOUND",
      "PERMISSION",
      "PERMISSION",
      "NO_SPACE",
      "PERMISSION",
      "NO_MEMORY",
      "MODEL_NOT_FOUND",
    ]);
  });
});

describe("external data", () => {
  const get = (location: string) => new ExternalFiles(join(folder, "model")).get(location);
  beforeEach(async () => {
    await mkdir(join(folder, "model/sub"), { recursive: true });
    await writeFile(join(folder, "secret"), "secret");
    await writeFile(join(folder, "model/weights.bin"), "1234");
    await writeFile(join(folder, "model/sub/more.bin"), "12345");
  });

  it("is found beside the model and below", () => {
    expect(get("weights.bin")?.size).toBe(4);
    expect(get("sub/more.bin")?.size).toBe(5);
    expect(get("absent.bin")).toBeUndefined();
  });

  it.each([
    "../secret",
    "sub/../../secret",
    "/etc/passwd",
    "sub\\more.bin",
    "C:x",
    "a\0b",
    "",
    ".",
    "./weights.bin",
    "sub//more.bin",
  ])("is never outside: %j", (location) => {
    expect(() => get(location)).toThrow(expect.objectContaining({ code: "EXTERNAL_DATA" }));
  });

  it("is refused through links of either kind, and where it is a folder", async () => {
    await symlink(join(folder, "secret"), join(folder, "model/soft"));
    await symlink(folder, join(folder, "model/out"));
    await link(join(folder, "secret"), join(folder, "model/hard"));
    for (const location of ["soft", "out/secret", "hard", "sub"]) {
      expect(() => get(location), location).toThrow(
        expect.objectContaining({ code: "EXTERNAL_DATA" }),
      );
    }
  });

  it("may have its model behind a link to the folder", async () => {
    await symlink(join(folder, "model"), join(folder, "current"));
    expect(new ExternalFiles(join(folder, "current")).get("weights.bin")?.size).toBe(4);
  });
});

describe("writing", () => {
  it("puts the whole file there, making folders", async () => {
    await writeFileAtomic(join(folder, "a/b/c.txt"), "whole");
    expect(await readFile(join(folder, "a/b/c.txt"), "utf8")).toBe("whole");
    expect(await readdir(join(folder, "a/b"))).toEqual(["c.txt"]);
  });

  it("follows a link and keeps it", async () => {
    await writeFile(join(folder, "real"), "old");
    await symlink(join(folder, "real"), join(folder, "name"));
    await writeFileAtomic(join(folder, "name"), "new");
    expect(await readFile(join(folder, "real"), "utf8")).toBe("new");
  });

  it("leaves nothing behind when it fails", async () => {
    await mkdir(join(folder, "taken"));
    await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toMatchObject({
      name: "PareError",
    });
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  it.runIf(process.platform === "linux")(
    "names a full disk, and does not replace a device",
    async () => {
      await expect(writeFileAtomic("/dev/full", "x")).rejects.toMatchObject({ code: "NO_SPACE" });
      await writeFileAtomic("/dev/null", "x");
    },
  );
});

it("names a model as its file, or for a model.onnx as its folder", () => {
  const paths = ["a/kws.onnx", "a/kws/model.onnx", "KWS.ONNX", "x", "net_1.0", "a/kws/model.json"];
  expect(paths.map(modelName)).toEqual(["kws", "kws", "KWS", "x", "net_1.0", "kws"]);
});
