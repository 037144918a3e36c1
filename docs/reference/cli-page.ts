import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { verbs } from "../../cli/src/verbs/verbs.js";

const bin = fileURLToPath(new URL("../../cli/bin/pare.js", import.meta.url));

async function help(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args, "--help"]);
  return stdout.trim();
}

/** `cli.md`: what `--help` says, of the program and of every verb. */
export async function cliPage(): Promise<string> {
  const own = await Promise.all(verbs.map(({ name }) => help(name)));
  const sections = verbs.map(({ name }, index) => `## \`pare ${name}\`\n\n${fenced(own[index])}`);
  const exits = `Exit codes: 0 done; 1 an internal error; 2 the arguments, model, recipe or data are wrong; 3 a budget or gate was
missed (the best result is still written); 130 Ctrl-C (the best complete bundle is kept). [Error codes](errors.md) say
which is which.`;
  return `${["# Command line", fenced(await help()), exits, ...sections].join("\n\n")}\n`;
}

function fenced(text = ""): string {
  return `\`\`\`\n${text}\n\`\`\``;
}
