import { PareError } from "@pare/runtime/format";

/**
 * What some ends are made of, themselves included, each behind what it reads. It takes no stack for what is deep.
 * @throws PareError MODEL_CYCLE
 */
export function eachBehindItsInputs<Item>(
  ends: readonly Item[],
  inputsOf: (item: Item) => readonly Item[],
  nameOf: (item: Item) => string,
): readonly Item[] {
  const sorted: Item[] = [];
  const state = new Map<Item, "open" | "done">();
  const open = ends.toReversed();
  while (open.length > 0) {
    const item = open.at(-1);
    if (item === undefined) break;
    if (state.has(item)) {
      open.pop();
      if (state.get(item) === "open") sorted.push(item);
      state.set(item, "done");
      continue;
    }
    state.set(item, "open");
    for (const input of inputsOf(item)) {
      if (state.get(input) === "open") {
        const name = nameOf(item);
        throw new PareError("MODEL_CYCLE", `${JSON.stringify(name)} depends on itself.`, {
          where: name,
        });
      }
      if (!state.has(input)) open.push(input);
    }
  }
  return sorted;
}
