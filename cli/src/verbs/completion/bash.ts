import type { CompletableOption, CompletableProgram } from "./completable.js";
import { singleQuoted } from "../../terminal/quoted.js";
import { functionName } from "./quoted.js";

/** Offers words that begin as what is typed; nothing of a word is read as code, as `compgen -W` would. */
export function bashScript({ name, options, verbs }: CompletableProgram): string {
  const complete = functionName(name);
  const offer = `${complete}_offer`;
  const values = [
    ...options.map((option) => ({ verb: "", option })),
    ...verbs.flatMap((verb) => verb.options.map((option) => ({ verb: verb.name, option }))),
  ].flatMap(({ verb, option }) => valueCases(verb, option, offer));
  const flags = [{ name: "", options }, ...verbs].map(
    (verb) =>
      `      ${singleQuoted(verb.name)}) ${offer} ${words(verb.options.flatMap(({ names }) => names))} ;;`,
  );
  const named = verbs.flatMap(({ name: verb, argument }) =>
    argument?.kind === "words"
      ? [`    ${singleQuoted(verb)}) ${offer} ${words(argument.words)} ;;`]
      : argument === null
        ? [`    ${singleQuoted(verb)}) compopt +o default 2>/dev/null ;;`]
        : [],
  );
  return `# ${name} in bash: eval "$(${name} completion bash)"
${offer}() {
  local each
  for each in "$@"; do
    case $each in "$word"*) COMPREPLY+=("$each") ;; esac
  done
}
${complete}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} verb= at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case \${COMP_WORDS[at]} in
    -*) ;;
    *) verb=\${COMP_WORDS[at]}; break ;;
    esac
  done
  if [ "$word" = "=" ]; then word=; elif [ "$before" = "=" ]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
  case "$verb $before" in
${values.join("\n")}
  esac
  case $word in
  -*)
    case $verb in
${flags.join("\n")}
    esac
    return ;;
  esac
  case $verb in
    '') ${offer} ${words(verbs.map((verb) => verb.name))} ;;
${named.join("\n")}
  esac
}
complete -o default -F ${complete} ${singleQuoted(name)}`;
}

function valueCases(verb: string, { names, value }: CompletableOption, offer: string): string[] {
  if (value === null) return [];
  const patterns = names.map((name) => singleQuoted(`${verb} ${name}`)).join("|");
  switch (value.kind) {
    case "words":
      return [`    ${patterns}) ${offer} ${words(value.words)}; return ;;`];
    case "file":
      return [`    ${patterns}) return ;;`];
    case "free":
      return [`    ${patterns}) compopt +o default 2>/dev/null; return ;;`];
    default:
      return value satisfies never;
  }
}

function words(list: readonly string[]): string {
  return list.map(singleQuoted).join(" ");
}
