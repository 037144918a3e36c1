import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { joinLists } from "../../terminal/join-lists.js";
import { verbs } from "../verbs.js";
import { bashScript } from "./bash.js";
import { completable } from "./completable.js";
import { fishScript } from "./fish.js";
import { singleQuoted } from "../../terminal/quoted.js";
import { fishQuoted } from "./quoted.js";
import { zshScript } from "./zsh.js";

const folder = mkdtempSync(join(tmpdir(), "pare-completion-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The real command line, as `pare completion` sees it. */
async function pare(): Promise<Command> {
  const program = new Command("pare").version("0");
  for (const { name, summary, load } of verbs) {
    const command = program.command(name).summary(summary);
    const { define } = await load();
    define(command, {
      signal: new AbortController().signal,
      typed: "",
      exit() {},
      output() {
        throw new Error("Nothing runs.");
      },
    });
  }
  return program;
}

/** Words that a shell would run, if it took them for more than text. */
const hostile = [`it's`, "$(touch made)", "`touch made`", "a:b [c]", "x;touch made", 'q"uote', "*"];

function hostileProgram(): Command {
  const program = new Command("pare");
  program.command("one").summary(hostile.join(" ")).argument("<file>");
  for (const [index, word] of hostile.entries())
    program.command(`verb${index}`).summary(word).option(`--at <${word}|b>`, word);
  return program;
}

const has = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** What bash offers for a line, of which the last word is being typed. */
function offered(script: string, ...typed: readonly string[]): string[] {
  const words = ["pare", ...typed].map(singleQuoted).join(" ");
  const file = join(folder, "script.bash");
  writeFileSync(
    file,
    `${script}\nCOMP_WORDS=(${words})\nCOMP_CWORD=${typed.length}\n_pare\n[ "\${#COMPREPLY[@]}" -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"\n`,
  );
  const said = execFileSync("bash", ["--norc", file], { cwd: folder, encoding: "utf8" });
  return said.split("\n").filter((line) => line !== "");
}

describe.runIf(has("bash"))("in bash", () => {
  it("offers verbs, options and their values, and leaves files to the shell", async () => {
    const script = bashScript(completable(await pare()));
    expect(offered(script, "o")).toEqual(["optimize"]);
    expect(offered(script, "")).toEqual([...verbs.map(({ name }) => name), "help"]);
    expect(offered(script, "optimize", "--max-")).toEqual([
      "--max-drop",
      "--max-size",
      "--max-latency",
    ]);
    expect(offered(script, "optimize", "m.onnx", "--target", "w")).toEqual(["wasm", "webgpu"]);
    expect(offered(script, "optimize", "--prefer", "=", "s")).toEqual(["size"]);
    expect(offered(script, "optimize", "--data", "")).toEqual([]);
    expect(offered(script, "simplify", "")).toEqual([]);
    expect(offered(script, "completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(offered(script, "simplify", "--max-")).toEqual([]);
  });

  it("takes words for nothing but text", () => {
    const script = bashScript(completable(hostileProgram()));
    for (const index of hostile.keys())
      expect(offered(script, `verb${index}`, "--at", "")).toEqual([hostile[index], "b"]);
    expect(existsSync(join(folder, "made"))).toBe(false);
  });

  it("reads a quoted word as it is", () => {
    const word = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(word, (text) => {
        const read = execFileSync("bash", ["-c", `printf %s ${singleQuoted(text)}`], {
          encoding: "utf8",
        });
        expect(read).toBe(text);
      }),
      { numRuns: 50 },
    );
  });
});

it.runIf(has("zsh"))("is a script that zsh reads", async () => {
  for (const program of [await pare(), hostileProgram()]) {
    const file = join(folder, "_pare");
    writeFileSync(file, zshScript(completable(program)));
    execFileSync("zsh", ["-n", file], { cwd: folder });
  }
  expect(existsSync(join(folder, "made"))).toBe(false);
});

const fish = "fish";
describe.runIf(has(fish))("in fish", () => {
  const ask = (program: Command, line: string): string[] => {
    const file = join(folder, "pare.fish");
    writeFileSync(file, `${fishScript(completable(program))}\n`);
    const said = execFileSync(
      fish,
      ["-N", "-c", `source ${file}; complete -C ${fishQuoted(line)}`],
      {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, HOME: folder },
      },
    );
    return said.split("\n").map((each) => each.split("\t")[0] ?? "");
  };

  it("offers verbs, options and their values", async () => {
    const program = await pare();
    expect(ask(program, "pare opt")).toContain("optimize");
    expect(ask(program, "pare optimize --max-d")).toContain("--max-drop");
    expect(ask(program, "pare optimize --target w")).toEqual(
      expect.arrayContaining(["wasm", "webgpu"]),
    );
  });

  it("takes words for nothing but text", () => {
    ask(hostileProgram(), "pare ");
    expect(existsSync(join(folder, "made"))).toBe(false);
  });
});

it("leaves nothing of a word outside quotes, in every shell", () => {
  const known = completable(hostileProgram());
  for (const script of [bashScript(known), zshScript(known)]) {
    const bare = script.replaceAll(String.raw`'\''`, "").replace(/'[^']*'/g, "");
    expect(bare).not.toMatch(/touch|\[c\]|\*"/);
  }
  const bare = fishScript(known).replace(/'(?:[^'\\]|\\.)*'/g, "");
  expect(bare).not.toMatch(/touch|\[c\]/);
});

describe("the examples of --help", () => {
  it.each(verbs.flatMap(({ name, examples }) => examples.map((example) => [name, example])))(
    "%s: %s holds",
    async (name, example = "") => {
      const command = (await pare()).commands.find((each) => each.name() === name);
      if (command === undefined) throw new Error("There is no such verb.");
      command.option("--json").exitOverride();
      const [, line = ""] = /\bpare ([^)>]*)/.exec(example) ?? [];
      const [verb, ...words] = joinLists(line.trim().split(" "));
      expect(verb).toBe(name);
      const { operands, unknown } = command.parseOptions(words);
      expect(unknown).toEqual([]);
      const wanted = command.registeredArguments;
      expect(operands.length).toBeGreaterThanOrEqual(
        wanted.filter(({ required }) => required).length,
      );
      if (!wanted.some(({ variadic }) => variadic))
        expect(operands.length).toBeLessThanOrEqual(wanted.length);
    },
  );
});
