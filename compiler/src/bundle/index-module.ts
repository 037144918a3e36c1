import {
  bundleJson,
  describeValue,
  dtypeArray,
  escapeUnseen,
  type Golden,
  type Manifest,
  type ValueInfo,
  type VariantEntry,
  visibleJson,
  visibleLine,
} from "@pare/runtime/format";

/**
 * The bundle as an ES module that imports nothing. Each file is a literal `new URL(…, import.meta.url)`, which
 * is what bundlers follow, and a getter, since where a module has no URL (workerd) importing it must not fail.
 */
export function indexModule(manifest: Manifest, golden: Golden): string {
  return moduleOf(manifest, golden, () => true);
}

/** The same for a page: without the files of variants that only Node runs, which a bundler would emit all the same. */
export function webModule(manifest: Manifest, golden: Golden): string {
  return moduleOf(manifest, golden, ({ target }) => target !== "cpu");
}

function moduleOf(
  manifest: Manifest,
  golden: Golden,
  takes: (variant: VariantEntry) => boolean,
): string {
  const paths = new Set(
    manifest.variants.filter(takes).flatMap((variant) => variant.files.map((file) => file.path)),
  );
  const files = [...paths].map(
    (path) =>
      `    get "${path}"() {\n      return new URL("./${path}", import.meta.url);\n    },\n`,
  );
  return `export default {
  manifest: ${literal(manifest)},
  golden: ${literal(golden)},
  files: {
${files.join("")}  },
};
`;
}

/** JSON as an expression that gives the same and reads as it is, where `"__proto__": …` would set a prototype. */
function literal(value: unknown): string {
  // Behind a backslash it is the end of a longer name.
  return escapeUnseen(bundleJson(value))
    .trimEnd()
    .replaceAll(/(?<!\\)"__proto__":/g, '["__proto__"]:');
}

/** What TypeScript knows of the bundle: names and types of its inputs and outputs, carried to `load`. */
export function indexTypes({ inputs, outputs, state = {} }: Manifest): string {
  return `interface Tensor<Type extends string, Data> {
  readonly type: Type;
  readonly dims: readonly number[];
  readonly data: Data;
}

${typesOf("Inputs", inputs, true)}
${typesOf("Outputs", outputs, false)}
/** By output, the input that it is at the next step. */
export interface State {${Object.entries(state)
    .map(([output, input]) => `\n  readonly ${visibleJson(output)}: ${visibleJson(input)};`)
    .join("")}\n}

declare const bundle: {
  readonly manifest: object;
  readonly golden: object;
  readonly files: Readonly<Record<string, URL>>;
  readonly $types?: {
    readonly inputs: Inputs;
    readonly outputs: Outputs;
    readonly state?: State;
  };
};
export default bundle;
`;
}

function typesOf(name: string, infos: readonly ValueInfo[], bare: boolean): string {
  const fields = infos.map((info) => {
    const array = info.type === "string" ? "readonly string[]" : dtypeArray[info.type].name;
    const tensor = `Tensor<"${info.type}", ${array}>`;
    const fixed =
      bare && info.type !== "string" && info.dims.every((dim) => typeof dim === "number");
    return `  /** ${visibleLine(describeValue(info)).replaceAll("*/", "* /")} */
  readonly ${visibleJson(info.name)}: ${fixed ? `${tensor} | ${array}` : tensor};
`;
  });
  return `export interface ${name} {\n${fields.join("")}}\n`;
}

/** Of `web.js`: those of `index.js`. */
export const webTypes = 'export * from "./index.js";\nexport { default } from "./index.js";\n';

/** Lets the folder be installed: `npm i ./model.pare`. */
export function packageJson(manifest: Manifest): string {
  const isCompiled = manifest.variants.some(({ format }) => format === "wasm");
  const content = {
    name: packageName(manifest.name),
    version: "0.0.0",
    description: `A model for @pare/runtime, written by ${manifest.createdBy}`,
    type: "module",
    sideEffects: false,
    files: [
      "index.js",
      "web.js",
      "aot-*.js",
      "*.d.ts",
      "manifest.json",
      "golden*.json",
      "variants",
    ],
    exports: {
      ".": {
        types: "./index.d.ts",
        workerd: "./index.js",
        browser: "./web.js",
        default: "./index.js",
      },
      ...(isCompiled && {
        "./aot": {
          types: "./aot-loader.d.ts",
          workerd: "./aot-workerd.js",
          default: "./aot-loader.js",
        },
      }),
      "./web.js": { types: "./web.d.ts", default: "./web.js" },
      "./index.js": { types: "./index.d.ts", workerd: "./index.js", default: "./index.js" },
      "./manifest.json": "./manifest.json",
      "./golden.json": "./golden.json",
      "./variants/*": "./variants/*",
      "./package.json": "./package.json",
    },
    types: "./index.d.ts",
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** What npm allows: small letters, digits, dots and dashes; neither a dot nor a dash first. */
function packageName(name: string): string {
  const allowed = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "");
  return allowed || "model";
}
