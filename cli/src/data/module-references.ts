import { type AnyNode, type Expression, parse, type Program } from "acorn";

/** Another module, or a file, that a module's text names. */
export interface Reference {
  /** `import` (also `export … from` and `import()`), `require()`, or `new URL("…", import.meta.url)`. */
  readonly how: "import" | "require" | "url";
  readonly specifier: string;
}

export interface References {
  /** In the text's order; each once. */
  readonly named: readonly Reference[];
  /** Whether it imports what only running it could tell. */
  readonly computed: boolean;
}

/** Null for text that is not JavaScript, or nests too deeply to be read. */
export function referencesOf(source: string): References | null {
  const program = parseEither(source);
  if (program === null) return null;
  const named = new Map<string, Reference & { readonly start: number }>();
  let computed = false;
  const left: AnyNode[] = [program];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const { start } = node;
    const { how, specifier } = referenceAt(node) ?? {};
    if (specifier === null) computed = true;
    else if (how !== undefined && specifier !== undefined)
      named.set(`${how} ${specifier}`, { how, specifier, start });
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child)) left.push(child);
    }
  }
  const inOrder = [...named.values()].toSorted((a, b) => a.start - b.start);
  return { named: inOrder.map(({ how, specifier }) => ({ how, specifier })), computed };
}

interface Found {
  readonly how: Reference["how"];
  /** Null: it is computed. */
  readonly specifier: string | null;
}

function referenceAt(node: AnyNode): Found | null {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
      return node.source ? { how: "import", specifier: textOf(node.source) } : null;
    case "ImportExpression":
      // What is imported by such a URL is found as the URL.
      return ownUrl(node.source) === null
        ? { how: "import", specifier: textOf(node.source) }
        : null;
    case "CallExpression": {
      const [argument] = node.arguments;
      return isNamed(node.callee, "require") && argument !== undefined
        ? { how: "require", specifier: textOf(argument) }
        : null;
    }
    case "NewExpression": {
      const specifier = ownUrl(node);
      return specifier === null ? null : { how: "url", specifier };
    }
    default:
      return null;
  }
}

function parseEither(source: string): Program | null {
  for (const sourceType of ["module", "commonjs"] as const) {
    try {
      return parse(source, { ecmaVersion: "latest", sourceType, allowHashBang: true });
    } catch {
      // The other kind allows what this one forbids.
    }
  }
  return null;
}

type Argument = Expression | { readonly type: "SpreadElement" };

/** Of a literal; null for what has to be computed. */
function textOf(node: Argument): string | null {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : null;
  if (node.type !== "TemplateLiteral" || node.expressions.length > 0) return null;
  return node.quasis[0]?.value.cooked ?? null;
}

/** `new URL("./file", import.meta.url)`, or its `href`. */
function ownUrl(node: Expression): string | null {
  if (node.type === "MemberExpression" && node.object.type !== "Super")
    return isNamed(node.property, "href") ? ownUrl(node.object) : null;
  if (node.type !== "NewExpression" || !isNamed(node.callee, "URL")) return null;
  const [file, base] = node.arguments;
  const beside =
    base?.type === "MemberExpression" &&
    base.object.type === "MetaProperty" &&
    isNamed(base.property, "url");
  return beside && file !== undefined ? textOf(file) : null;
}

function isNamed(node: AnyNode, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
