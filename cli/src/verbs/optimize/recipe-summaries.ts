/** The recipes that have names, for `--help`, which opens no compiler. */
export const recipeSummaries: Readonly<Record<string, string>> = {
  auto: "simplify, then what each target's table proposes, as far as measurement agrees",
  simplify: "the float model, simplified, and nothing else",
  prune: "four tenths of the multiplications gone, then taught again; targets propose for that",
  sweep:
    "cut by a quarter three times, taught again after each, and no further than accuracy allows; targets propose for that",
  distill: "the same network trained on: by labels, and by its own answers before",
  small:
    "pruned to about a third of the multiplications and taught again, then quantized as targets propose",
  "quantize-aware":
    "trained with rounding in the model, then written with weights of 4 bits and activations of 8",
  smaller:
    "as small, then trained with rounding to weights of 4 bits in it; targets propose where that does not hold",
  "naive-per-tensor": "the plain way: per-tensor min-max int8 on every operator",
};

/** `Recipes:` and a line for each, as long as a terminal is wide. */
export function recipesText(columns = 80): string {
  const names = Object.keys(recipeSummaries);
  const indent = 4 + Math.max(...names.map((name) => name.length));
  const lines = Object.entries(recipeSummaries).flatMap(([name, summary]) =>
    wrapped(summary, columns - indent).map(
      (line, index) => `${(index === 0 ? `  ${name}` : "").padEnd(indent)}${line}`,
    ),
  );
  return ["Recipes:", ...lines].join("\n");
}

function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
