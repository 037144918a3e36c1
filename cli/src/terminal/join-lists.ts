/** Options that take lists, and what an item of each looks like. */
const items: Readonly<Record<string, RegExp>> = {
  "--target": /^(aot|wasm|webgpu|cpu|webnn)$/,
  "--shape": /^[^-=][^=]*=[\dx]+$/i,
  "--dim": /^([^-=][^=]*=)?\d+$/,
  "--const": /^[^-=][^=]*=.+$/,
  "--input": /^[^-=][^=]*=.+$/,
  "--signal": /^[^-=][^=]*=.+$/,
  "--student": /^(depth|layers|by|width)=.+$/,
  "--report": /^(html|md|junit|benchmark-action|json)=.+$/,
};

/**
 * Joins the items of a list into one argument, whether they were written with commas, with spaces or by repeating the
 * flag: an argument after the flag belongs to it as long as it looks like an item.
 */
export function joinLists(argv: readonly string[]): string[] {
  const joined: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? "";
    const [flag, inline] = splitOnce(argument);
    const item = items[flag];
    if (item === undefined) {
      joined.push(argument);
      continue;
    }
    const found: string[] = inline === undefined ? [] : [inline];
    const first = argv[at + 1];
    if (inline === undefined && first !== undefined && !first.startsWith("-")) {
      found.push(first);
      at++;
    }
    for (let next = argv[at + 1]; next !== undefined && isItems(next, item); next = argv[++at + 1])
      found.push(next);
    const listed = found.map((each) => each.replace(/,\s*$/, ""));
    joined.push(flag, ...(listed.length > 0 ? [listed.join(",")] : []));
  }
  return joined;
}

function splitOnce(argument: string): [string, string | undefined] {
  const flag = /^(--[a-z-]+)=(.*)$/s.exec(argument);
  return flag === null ? [argument, undefined] : [flag[1] ?? "", flag[2]];
}

function isItems(argument: string, item: RegExp): boolean {
  const parts = argument.split(/[,\s]+/).filter((part) => part !== "");
  return parts.length > 0 && (parts.every((part) => item.test(part)) || item.test(argument));
}
