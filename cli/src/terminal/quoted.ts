/** An argument as it is typed into a shell. @param platform of the shell */
export function quoted(argument: string, platform: NodeJS.Platform = process.platform): string {
  const isWindows = platform === "win32";
  if (/^[\w@%+=:,./-]+$/.test(isWindows ? argument.replaceAll("\\", "/") : argument))
    return argument;
  // Between double quotes a POSIX shell replaces variables and commands.
  return isWindows || !/["$`\\!]/.test(argument)
    ? JSON.stringify(argument)
    : singleQuoted(argument);
}

/** A word for POSIX shells and zsh: nothing in it is more than text. */
export function singleQuoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
