import { workerData } from "node:worker_threads";

// The thread of `endWithParent`.

const parent: unknown = workerData;
const lookEveryMs = 500;

/** Whose parent is gone gets another one; on Windows it keeps the old number. */
function isParentGone(): boolean {
  if (process.ppid !== parent) return true;
  if (process.platform !== "win32") return false;
  try {
    process.kill(process.ppid, 0);
    return false;
  } catch {
    return true;
  }
}

setInterval(() => {
  if (isParentGone()) process.kill(process.pid, "SIGKILL");
}, lookEveryMs);
