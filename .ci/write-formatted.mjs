// Writes a file that a script makes as `npm run format` would leave it.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format } from "oxfmt";

export async function writeFormatted(url, text) {
  const {
    $schema: _,
    ignorePatterns: __,
    ...options
  } = JSON.parse(await readFile(new URL("../.oxfmtrc.json", import.meta.url), "utf8"));
  const { code, errors } = await format(fileURLToPath(url), text, options);
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  await writeFile(url, code);
}
