import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const before = process.env["TMPDIR"];
const place = mkdtempSync(join(tmpdir(), "pare-test-"));
beforeAll(() => {
  process.env["TMPDIR"] = place;
});
afterAll(async () => {
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  await rm(place, { recursive: true });
});

/** A process that has ended, and is waited for. */
const ended = spawnSync(process.execPath, ["--version"]).pid;

// Folders are swept once in a process: one test says all of it.
it("makes a folder whose name says whose it is, and sweeps those of killed processes alone", async () => {
  const own = await temporaryFolder();
  const name = basename(own.path);
  const [, machine = "", pid = "", random = ""] = /^pare-(\w{6})-(\d+)-(\w{6})$/.exec(name) ?? [];
  expect(pid).toBe(String(process.pid));
  await own.dispose();
  expect(existsSync(own.path)).toBe(false);

  const left = {
    swept: `pare-${machine}-${ended}-${random}`,
    running: `pare-${machine}-${process.ppid}-${random}`,
    elsewhere: `pare-000000-${ended}-${random}`,
    another: `pare-${machine}-${ended}-${random}-kept`,
  };
  for (const folder of Object.values(left)) {
    mkdirSync(join(place, folder, "profile"), { recursive: true });
    writeFileSync(join(place, folder, "samples"), "x");
  }
  const script = `
    const { temporaryFolder } = await import(${JSON.stringify(
      new URL("../../dist/platform/temporary-folder.js", import.meta.url).href,
    )});
    await temporaryFolder();
  `;
  const next = spawnSync(process.execPath, ["--input-type=module", "-e", script]);
  expect(next.stderr.toString()).toBe("");
  const stays = Object.fromEntries(
    Object.entries(left).map(([which, folder]) => [which, existsSync(join(place, folder))]),
  );
  expect(stays).toEqual({ swept: false, running: true, elsewhere: true, another: true });
});
