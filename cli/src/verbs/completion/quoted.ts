/** A word for fish, which reads backslashes between quotes too: nothing in it is more than text. */
export function fishQuoted(word: string): string {
  return `'${word.replace(/[\\']/g, String.raw`\$&`)}'`;
}

/** A name as part of a function's. */
export function functionName(program: string): string {
  return `_${program.replace(/\W/g, "_")}`;
}
