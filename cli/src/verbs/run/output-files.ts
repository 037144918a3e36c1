/**
 * A file for each output: its name, with a number where what is no part of a file's name was all that told two apart.
 * An output whose name is a file's as it is keeps it, so that nobody finds another's values there.
 */
export function outputFiles(names: readonly string[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const taken = new Set<string>();
  const kept = names.filter((name) => plain(name) === name);
  const changed = names.filter((name) => plain(name) !== name);
  for (const name of [...kept, ...changed]) {
    let file = `${plain(name)}.npy`;
    // Some file systems take capitals and small letters for the same.
    for (let number = 2; taken.has(file.toLowerCase()); number += 1)
      file = `${plain(name)}-${number}.npy`;
    taken.add(file.toLowerCase());
    files.set(name, file);
  }
  return files;
}

function plain(name: string): string {
  return name.replaceAll(/[^\w.-]/g, "_");
}
