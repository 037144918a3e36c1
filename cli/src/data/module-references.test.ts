import { describe, expect, it } from "vitest";
import { referencesOf } from "./module-references.js";

const named = (source: string) =>
  referencesOf(source)?.named.map(({ how, specifier }) => `${how} ${specifier}`);

describe("what a module refers to", () => {
  it.each([
    [`import "./a.js"; import b, { c } from './b.js'`, ["import ./a.js", "import ./b.js"]],
    [
      `export * from "a"; export { b } from "./b.js"; export const c = 1`,
      ["import a", "import ./b.js"],
    ],
    [
      `const a = await import("./a.js"), b = () => import(\`./b.js\`, {})`,
      ["import ./a.js", "import ./b.js"],
    ],
    [`import a from "./a.json" with { type: "json" }`, ["import ./a.json"]],
    [`const { x } = require("./a"); if (x) require(\`b\`)`, ["require ./a", "require b"]],
    [
      `const load = createRequire(import.meta.url), a = load("./a"); load(\`b\`)`,
      ["require ./a", "require b"],
    ],
    [`node.createRequire(__filename)("./a"); load("./b")`, ["require ./a"]],
    [`return require("./a"); with (a) b()`, ["require ./a"]],
    [`#!/usr/bin/env node\nimport "./a.js"`, ["import ./a.js"]],
    [`read(new URL("./a.txt", import.meta.url))`, ["url ./a.txt"]],
    [`await import(new URL("./a.mjs", import.meta.url).href)`, ["url ./a.mjs"]],
    [`import "./a.js"; import "./a.js"; require("./a.js")`, ["import ./a.js", "require ./a.js"]],
    [`// import "./a.js"\n"require('./b')"; /require("c")/; \`import("./d")\``, []],
    [`new URL("./a"); new URL("./b", base); a.require("./c"); import.meta.url`, []],
  ])("%s", (source, expected) => {
    expect(named(source)).toEqual(expected);
    expect(referencesOf(source)?.computed).toBe(false);
  });

  it.each([
    "import(name)",
    "import(`./${name}.js`)",
    "require(name)",
    "const load = createRequire(import.meta.filename); load(name)",
    "createRequire(new URL('lib/', base))",
    "import(new URL(name, import.meta.url))",
    "import(1)",
  ])("cannot be told from %s", (source) => {
    expect(referencesOf(source)).toEqual({ named: [], computed: true });
  });

  it.each(["const a: number = 1", "<a/>", "import {", "\0", "[".repeat(1e5)])(
    "is unknown of %.30j",
    (source) => {
      expect(referencesOf(source)).toBeNull();
    },
  );
});
