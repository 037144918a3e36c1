import { randomUUID } from "node:crypto";
import { lstatSync, readFileSync, rmSync } from "node:fs";
import { link, lstat, rename, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { systemCode } from "./file-error.js";
import { type FileSource, openFileSource } from "./file-source.js";
import { isProcessGone } from "./process-gone.js";

/** Who holds a lock touches it: one of this age was left behind. On another machine nothing else is known of its owner. */
const staleMs = 600_000;
const touchEveryMs = 30_000;

/** More than a lock that was written here holds. */
const mostBytes = 1024;

/**
 * Does the work while no other process does it, or not at all. A lock whose owner is gone is taken over; two that find
 * it at the same instant may both go on, so the work must bear that.
 * @returns whether the work was done
 * @throws what the work throws, or the system's error
 */
export async function withLock(path: string, work: () => Promise<void>): Promise<boolean> {
  const token = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
  if (!(await take(path, token))) return false;
  const touch = setInterval(() => {
    const now = new Date();
    void utimes(path, now, now).catch(() => undefined); // somebody may have removed it
  }, touchEveryMs);
  touch.unref();
  // Who ends at once, at a second Ctrl-C say, waits for nothing.
  const leave = (): void => removeNow(path, token);
  process.once("exit", leave);
  try {
    await work();
  } finally {
    process.off("exit", leave);
    clearInterval(touch);
    if ((await content(path)) === token) await rm(path, { force: true }).catch(() => undefined);
  }
  return true;
}

function removeNow(path: string, token: string): void {
  try {
    const found = lstatSync(path);
    const isLock = found.isFile() && found.size <= mostBytes;
    if (isLock && readFileSync(path, "utf8") === token) rmSync(path, { force: true });
  } catch {
    // It is found stale by who wants it next.
  }
}

/** Who has a lock, for a reader. */
export async function holderOf(path: string): Promise<string> {
  const owner = ownerIn(await content(path));
  return owner === null ? "Another process" : `Process ${owner.pid} on ${owner.host}`;
}

async function take(path: string, token: string): Promise<boolean> {
  if (await create(path, token)) return true;
  if (!(await isStale(path))) return false;
  // Moved aside first: of several that see the same stale lock, one moves it.
  const aside = `${path}.${randomUUID()}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return false;
  await rm(aside, { recursive: true, force: true });
  return create(path, token);
}

/**
 * The lock appears with its owner's name in it: one who is killed in between must not leave a lock of nobody. Where
 * files cannot have two names, it is written in place.
 */
async function create(path: string, token: string): Promise<boolean> {
  const own = `${path}.${randomUUID()}`;
  const options = { flag: "wx", mode: 0o600 };
  try {
    await writeFile(own, token, options);
    await link(own, path).catch(async (error: unknown) => {
      if (systemCode(error) === "EEXIST") throw error;
      await writeFile(path, token, options);
    });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(own, { force: true }).catch(() => undefined);
  }
}

async function isStale(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return false;
  if (Math.abs(Date.now() - found.mtimeMs) > staleMs) return true;
  return ownerIsGone(await content(path));
}

/** Empty where there is no file, or one that was not written here. */
async function content(path: string): Promise<string> {
  let file: FileSource | null = null;
  try {
    file = openFileSource(path, "ARGUMENT", false);
    if (file.size > mostBytes) return "";
    return new TextDecoder().decode(await file.read(0, file.size));
  } catch {
    return "";
  } finally {
    file?.close();
  }
}

interface Owner {
  readonly pid: number;
  readonly host: string;
}

function ownerIn(token: string): Owner | null {
  try {
    const { pid, host }: { readonly pid?: unknown; readonly host?: unknown } = Object(
      JSON.parse(token),
    );
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return null;
    return typeof host === "string" ? { pid, host } : null;
  } catch {
    return null;
  }
}

/** Of a process on another machine, or in another container, nothing is known but the age of its lock. */
function ownerIsGone(token: string): boolean {
  const owner = ownerIn(token);
  if (owner === null || owner.host !== hostname()) return false;
  return isProcessGone(owner.pid);
}
