import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { verbs } from "../../cli/src/verbs/verbs.js";

const bin = fileURLToPath(new URL("../../cli/bin/pare.js", import.meta.url));

async function help(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [bin, ...args, "--help"]);
  return stdout.trim();
}

/** What a verb's options leave open. */
const notes: Readonly<Record<string, string>> = {
  simplify: `\`simplify\`, \`prune\`, \`quantize\` and \`optimize\` drop what exporters write about single nodes, values, tensors and the graph
(\`doc_string\`, \`metadata_props\`): stack traces, module names and folders, which no engine reads and which can be nearly
half of a file. What the model says of itself stays (its \`doc_string\`, its author, licence or classes among the
\`metadata_props\`), but for keys that begin with \`pkg.\`, in which tools note things for themselves; and so does the
documentation of its inputs and outputs. \`--keep-metadata\` keeps all of it. \`convert\` drops nothing.

What \`simplify\`, \`prune\`, \`quantize\` and \`convert\` make is loaded on onnxruntime-node and run once on made-up inputs, in a process
of its own, before it is written: the last words of the summary say how that went. If the engine takes the model that
was given and not what was made of it, nothing is written, and the error is \`PASS_FAILED\`. Where it refuses both, is not
installed or does not answer, the file is written, and the summary says why it was not checked, or loaded and not run.
\`--no-check\` does without.`,
  prune: `Channels go whole, with everything that they are coupled to: what makes them, what reads them, and what lies between,
through sums, concatenations, reshapes and grouped convolutions. Of an attention whole heads go, of what stands between
two products single neurons. The model that is written computes what the given one would were those channels zero wherever
they are summed over, to rounding: it is smaller and less accurate, and training has to repair it.

Counted are the multiply-accumulates of one run, a batch as one and any other free size as 64. What must stay is printed
with its reason, with \`--verbose\` node by node. A share that cannot be met is refused, with the one that can.`,
};

/** `cli.md`: what `--help` says, of the program and of every verb. */
export async function cliPage(): Promise<string> {
  const own = await Promise.all(verbs.map(({ name }) => help(name)));
  const sections = verbs.map(({ name }, index) =>
    [`## \`pare ${name}\``, fenced(own[index]), notes[name]]
      .filter((part) => part !== undefined)
      .join("\n\n"),
  );
  const exits = `Exit codes: 0 done; 1 an internal error; 2 the arguments, model, recipe or data are wrong; 3 a budget or gate was
missed (the best result is still written); 130 Ctrl-C (the best complete bundle is kept). [Error codes](errors.md) say
which is which.`;
  return `${["# Command line", fenced(await help()), exits, ...sections].join("\n\n")}\n`;
}

function fenced(text = ""): string {
  return `\`\`\`\n${text}\n\`\`\``;
}
