import type { CompletableOption, CompletableProgram, CompletableValue } from "./completable.js";
import { singleQuoted } from "../../terminal/quoted.js";
import { functionName } from "./quoted.js";

/** By zsh's own `_arguments`, which shows what each option is for. */
export function zshScript({ name, options, verbs }: CompletableProgram): string {
  const complete = functionName(name);
  const described = verbs.map(
    (verb) => `        ${singleQuoted(`${escaped(verb.name)}:${verb.about}`)}`,
  );
  const cases = verbs.map(({ name: verb, options: own, argument }) => {
    const specs = [
      ...own.flatMap(optionSpecs),
      ...(argument === null ? [] : [singleQuoted(`*:argument:${action(argument)}`)]),
    ];
    return `      ${singleQuoted(verb)}) _arguments ${specs.join(" ")} ;;`;
  });
  return `#compdef ${name}
# ${name} in zsh: ${name} completion zsh > a file _${name} in a folder of $fpath
${complete}() {
  local line state
  _arguments -C ${options.flatMap(optionSpecs).join(" ")} '1: :->verb' '*:: :->rest'
  case $state in
    verb)
      local -a verbs=(
${described.join("\n")}
      )
      _describe verb verbs ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}
if [ "$funcstack[1]" = ${singleQuoted(complete)} ]; then ${complete} "$@"; else compdef ${complete} ${singleQuoted(name)}; fi`;
}

/** One for each of its names, which exclude each other. */
function optionSpecs({ names, about, value }: CompletableOption): string[] {
  const others = names.length > 1 ? `(${names.join(" ")})` : "";
  const taken = value === null ? "" : `:value:${action(value)}`;
  return names.map((name) => singleQuoted(`${others}${name}[${escaped(about)}]${taken}`));
}

function action(value: CompletableValue): string {
  switch (value.kind) {
    case "words":
      return `(${value.words.map(escapedWord).join(" ")})`;
    case "file":
      return "_files";
    case "free":
      return " ";
    default:
      return value satisfies never;
  }
}

/** What `_arguments` and `_describe` read as their own. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, String.raw`\$&`);
}

/** A word in a list of words, which is read as zsh reads them. */
function escapedWord(word: string): string {
  return word.replace(/[^\w.,-]/g, String.raw`\$&`);
}
