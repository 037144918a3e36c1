// A copy of this repository that may be changed: what is tracked or could be, what is built, and links to what is installed.
import { cpSync, existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../../shell.mjs";

const packages = ["runtime", "compiler", "bench", "cli"];
const built = packages.flatMap((name) => [`${name}/dist`, `${name}/tsconfig.tsbuildinfo`]);

/** @param {string} root @param {string} to an empty folder */
export async function copyRepository(root, to) {
  const { stdout } = await run("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: root,
  });
  const files = stdout.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
  for (const file of [...files, ...built.filter((path) => existsSync(join(root, path)))]) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(root, file), join(to, file), { recursive: true, preserveTimestamps: true });
  }
  linkInstalled(join(root, "node_modules"), join(to, "node_modules"));
  const cache = "fixtures/.cache";
  if (existsSync(join(root, cache))) symlinkSync(join(root, cache), join(to, cache));
}

/** A workspace's link leads to the copy's own; all else to where it is installed. */
function linkInstalled(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.name === "@pare") linkInstalled(source, target);
    else symlinkSync(entry.isSymbolicLink() ? readlinkSync(source) : source, target);
  }
}
