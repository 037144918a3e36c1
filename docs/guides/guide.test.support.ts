import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { parseManifest } from "@pare/runtime/format";
import type ts from "typescript";
import { expect } from "vitest";
import { CommandLines } from "../../cli/src/command-lines.test.support.js";
import { someSamples } from "../../cli/src/some-samples.test.support.js";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** The fenced blocks of a guide in one language. */
export async function blocks(guide: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`${guide}.md`, import.meta.url), "utf8");
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"));
  return [...fences].map(([, code = ""]) => code);
}

export async function block(guide: string, language: string): Promise<string> {
  const [first] = await blocks(guide, language);
  if (first === undefined) throw new Error(`${guide}.md has no ${language} block`);
  return first;
}

/** A folder in which guides are followed, with a cache of its own. */
export class Reader {
  /** Below the repository, so that packages are found by walking up; git ignores the folder. */
  readonly place: string;
  readonly #lines: CommandLines;

  private constructor(name: string) {
    this.place = join(root, ".cache/guides", name);
    // A search by the defaults may take two minutes, and longer where others have the cores too.
    this.#lines = new CommandLines(() => this.place, { patienceMs: 280_000 });
  }

  static async start(name: string): Promise<Reader> {
    const reader = new Reader(name);
    await reader.leave();
    await mkdir(reader.place, { recursive: true });
    for (const part of ["fixtures", "docs"])
      await symlink(join(root, part), join(reader.place, part));
    return reader;
  }

  /** Lets data modules of the fixtures yield every so manieth of their samples: what a command says and does is the same. */
  async thinOut(every: number, ...modules: readonly string[]): Promise<void> {
    await rm(join(this.place, "fixtures"));
    const data = join(this.place, "fixtures/data");
    await mkdir(data, { recursive: true });
    for (const [folder, own] of [
      ["fixtures", ["data"]],
      ["fixtures/data", modules],
    ] as const)
      for (const part of await readdir(join(root, folder)))
        if (!own.some((name) => name === part))
          await symlink(join(root, folder, part), join(this.place, folder, part));
    for (const module of modules) {
      const { href } = pathToFileURL(join(root, "fixtures/data", module));
      await writeFile(join(data, module), someSamples(href, every));
    }
  }

  async leave(): Promise<void> {
    await this.#lines.dispose();
    await rm(this.place, { recursive: true, force: true });
  }

  run(program: string, ...args: string[]): Promise<Said> {
    const env = { ...process.env, ...this.#ownCache() };
    return promisify(execFile)(program, args, { cwd: this.place, env });
  }

  #ownCache(): Readonly<Record<string, string>> {
    return { XDG_CACHE_HOME: join(this.place, "cache") };
  }

  /** What a program in Node prints. */
  async node(...args: string[]): Promise<string> {
    return (await this.run(process.execPath, ...args)).stdout;
  }

  /** Runs what a reader would paste, in order, and gives what each said. Only `npx pare` is understood. */
  async follow(guide: string, env: Readonly<Record<string, string>> = {}): Promise<Said[]> {
    const said: Said[] = [];
    for (const line of (await blocks(guide, "sh")).join("").trim().split("\n")) {
      const [npx, name, ...args] = line.split(" ");
      expect([npx, name]).toEqual(["npx", "pare"]);
      const ended = await this.#lines.run(args, { env: { ...this.#ownCache(), ...env } });
      expect(ended.code, `${line}\n${ended.stderr}`).toBe(0);
      said.push(ended);
    }
    return said;
  }

  async variantHashes(bundle: string): Promise<string[]> {
    const text = await readFile(join(this.place, bundle, "manifest.json"), "utf8");
    return parseManifest(JSON.parse(text)).variants.flatMap(({ files }) =>
      files.map(({ sha256 }) => sha256),
    );
  }

  /** What the compiler says of a guide's code, as strict as it can be. */
  async typeProblems(guide: string, options: ts.CompilerOptions): Promise<string[]> {
    const { default: typescript } = await import("typescript");
    const file = join(this.place, `${guide}.mts`);
    await writeFile(file, await block(guide, "js"));
    const program = typescript.createProgram([file], {
      module: typescript.ModuleKind.ESNext,
      moduleResolution: typescript.ModuleResolutionKind.Bundler,
      target: typescript.ScriptTarget.ES2022,
      strict: true,
      noEmit: true,
      ...options,
    });
    const files = program.getSourceFiles().filter(({ fileName }) => !isOfOthers(fileName));
    return [
      ...program.getOptionsDiagnostics(),
      ...files.flatMap((each) => [
        ...program.getSyntacticDiagnostics(each),
        ...program.getSemanticDiagnostics(each),
      ]),
      ...program.getGlobalDiagnostics(),
    ].map(({ messageText }) => typescript.flattenDiagnosticMessageText(messageText, "\n"));
  }
}

/** Declarations of Node and of TypeScript itself, which others have checked. */
function isOfOthers(file: string): boolean {
  return /\/node_modules\/(@types|typescript)\//.test(file);
}
