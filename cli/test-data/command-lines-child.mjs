// Command lines of what was built, one after the other in one process: a list of arguments in; the exit code, and what was
// written, out. What bin/pare.js does once.
import { main } from "../dist/main.js";

const environment = { ...process.env };
const end = process.exit.bind(process, 0);

process.on("message", (line) => void run(line));
process.on("disconnect", end);

async function run({ args, cwd, env }) {
  process.chdir(cwd);
  process.env = { ...environment, ...env };
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) {
    process[name].write = (text, ...rest) => {
      written[name] += text;
      rest.find((each) => typeof each === "function")?.();
      return true;
    };
  }
  const code = await new Promise((resolve) => {
    process.exit = (status) => resolve(status ?? process.exitCode ?? 0);
    void main([process.execPath, "pare", ...args]);
  });
  process.exitCode = undefined;
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners("error");
  process.send({ code, ...written });
}
