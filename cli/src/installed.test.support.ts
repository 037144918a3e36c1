import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { CommandLineOptions, Ended } from "./command-lines.test.support.js";

const bin = fileURLToPath(new URL("../bin/pare.js", import.meta.url));

/**
 * The command line as it is installed: what was built, in a process of its own.
 * @param options `interruptAt`: what it says when it gets a Ctrl-C
 */
export function installed(
  args: readonly string[],
  { cwd, env = {}, interruptAt }: CommandLineOptions & { readonly interruptAt?: RegExp } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    let [stdout, stderr] = ["", ""];
    let interrupted = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (!interrupted && interruptAt?.test(stderr)) interrupted = child.kill("SIGINT");
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
