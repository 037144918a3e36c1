import { systemCode } from "./file-error.js";

/** Whether no process of this machine has this id: not where one of another user's has it. */
export function isProcessGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemCode(error) === "ESRCH";
  }
}
