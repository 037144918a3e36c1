/**
 * A file for each output: its name, with a number where what is no part of a file's name was all that told two apart.
 * An output whose name is a file's as it is keeps it, so that nobody finds another's values there.
 */
export function outputFiles(names: readonly string[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const taken = new Set<string>();
  const take = (name: string, file: string): boolean => {
    // Some file systems take capitals and small letters for the same.
    if (taken.has(file.toLowerCase())) return false;
    taken.add(file.toLowerCase());
    files.set(name, file);
    return true;
  };
  const others = names.filter((name) => plain(name) !== name || !take(name, `${name}.npy`));
  /** Of those that are the same, the next number: none before it is free. */
  const numbers = new Map<string, number>();
  for (const name of others) {
    const own = plain(name);
    let number = numbers.get(own.toLowerCase()) ?? 1;
    while (!take(name, number === 1 ? `${own}.npy` : `${own}-${number}.npy`)) number += 1;
    numbers.set(own.toLowerCase(), number + 1);
  }
  return files;
}

function plain(name: string): string {
  return name.replaceAll(/[^\w.-]/g, "_");
}
