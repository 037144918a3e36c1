// What a command takes: seconds, and the most memory that it and its descendants hold at one time.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const everyMs = 20;

/**
 * Runs a command to its end. Memory is the sum over its processes of what is resident, looked at 50 times a second;
 * null where there is no /proc.
 */
export function footprint(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
    let stderr = "";
    let peakBytes = 0;
    const look = () => (peakBytes = Math.max(peakBytes, residentBytes(child.pid)));
    const timer = setInterval(look, everyMs);
    child.stderr.on("data", (chunk) => (stderr += chunk));
    child.on("error", (error) => {
      clearInterval(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearInterval(timer);
      resolve({
        code: code ?? signal,
        stderr,
        seconds: (performance.now() - started) / 1000,
        peakBytes: peakBytes > 0 ? peakBytes : null,
      });
    });
  });
}

/** Of a process and all that descend from it; 0 for one that is gone. */
function residentBytes(pid) {
  try {
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return children
      .filter((each) => each !== "")
      .reduce((sum, each) => sum + residentBytes(each), Number(resident?.[1] ?? 0) * 1024);
  } catch {
    return 0;
  }
}
