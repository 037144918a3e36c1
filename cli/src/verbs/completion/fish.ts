import type { CompletableOption, CompletableProgram, CompletableValue } from "./completable.js";
import { fishQuoted } from "./quoted.js";

/** A line for each verb, and for each of its options. */
export function fishScript({ name, options, verbs }: CompletableProgram): string {
  const start = `complete -c ${fishQuoted(name)}`;
  const names = verbs.map((verb) => verb.name).join(" ");
  const none = fishQuoted(`not __fish_seen_subcommand_from ${names}`);
  const lines = [
    `# ${name} in fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish`,
    `${start} -f`,
    ...options.map((option) => `${start} -n ${none} ${optionText(option)}`),
    ...verbs.map(
      (verb) => `${start} -n ${none} -a ${fishQuoted(verb.name)} -d ${fishQuoted(verb.about)}`,
    ),
  ];
  for (const { name: verb, options: own, argument } of verbs) {
    const within = fishQuoted(`__fish_seen_subcommand_from ${verb}`);
    if (argument !== null) lines.push(`${start} -n ${within} ${valueText(argument)}`);
    lines.push(...own.map((option) => `${start} -n ${within} ${optionText(option)}`));
  }
  return lines.join("\n");
}

function optionText({ names, about, value }: CompletableOption): string {
  const flags = names.map((name) =>
    name.startsWith("--") ? `-l ${fishQuoted(name.slice(2))}` : `-s ${fishQuoted(name.slice(1))}`,
  );
  const taken = value === null ? [] : ["-r", valueText(value)];
  return [...flags, ...taken, "-d", fishQuoted(about)].join(" ");
}

function valueText(value: CompletableValue): string {
  switch (value.kind) {
    case "words":
      return `-f -a ${fishQuoted(value.words.join(" "))}`;
    case "file":
      return "-F";
    case "free":
      return "-f";
    default:
      return value satisfies never;
  }
}
