import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";

const main = fileURLToPath(new URL("step-types-program.ts", import.meta.url));

/** Carries the state of models rightly, and wrongly where a line says so. */
const program = `import type { AsyncModel, LoadedModel, Model, SyncModel } from "./model.js";
type Array = Float32Array;
interface Inputs { readonly x: Array; readonly h0: Array }
interface Outputs { readonly y: { readonly data: Array }; readonly hn: { readonly data: Array } }
declare const unsaid: SyncModel<Inputs, Outputs, {}>;
declare const said: Model<Inputs, Outputs, { readonly hn: "h0" }> & { readonly isSync: true };
declare const later: AsyncModel<Inputs, Outputs, {}>;
declare const any: SyncModel;
const x = new Float32Array(1);
const y: Array = unsaid.stream({ hn: "h0" }).runSync({ x }).y.data;
declare const either: Model<Inputs, Outputs, {}>;
const own: Array = (await either.stream({ hn: "h0" }).run({ x })).y.data;
const kept: Array = said.stream().runSync({ x, h0: x }).y.data;
const all: Array = said.stream({}).runSync({ x, h0: x }).hn.data;
const whole: Array = unsaid.stream().runSync({ x, h0: x }).hn.data;
const after: Array = (await later.stream({ hn: "h0" }).run({ x })).y.data;
const whatever = any.stream({ hn: "h0" }).runSync({ x, other: undefined })["y"];
const shown: readonly string[] = [unsaid, said, later, any].map((model: LoadedModel) => model.name);
unsaid.stream({ hn: "h0" }).runSync({ x }).hn; // wrong
unsaid.stream().runSync({ x }); // wrong
unsaid.stream({ hn: "z" }); // wrong
said.stream().runSync({ x }).hn; // wrong
said.stream({}).runSync({ x }); // wrong
(await later.stream({ hn: "h0" }).run({ x })).hn; // wrong
later.stream({ z: "h0" }); // wrong
export { after, all, kept, own, shown, whatever, whole, y };
`;

it("the types of steps follow the pairs that a stream is given", () => {
  const host = ts.createCompilerHost({});
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (name, version) =>
    name === main
      ? ts.createSourceFile(name, program, version)
      : getSourceFile.call(host, name, version);
  host.fileExists = (name) => name === main || fileExists.call(host, name);
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    customConditions: ["@pare/source"],
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
    types: [],
  };
  const checked = ts.createProgram([main], options, host);
  const faults = checked.getSemanticDiagnostics(checked.getSourceFile(main));
  const faulty = new Set(
    faults.map(({ file, start = 0 }) => file?.getLineAndCharacterOfPosition(start).line ?? -1),
  );
  const lines = program.split("\n");
  expect([...faulty].map((at) => lines[at])).toEqual(
    lines.filter((line) => line.endsWith("// wrong")),
  );
});
