import { type AnyNode, type CallExpression, type Expression, parse, type Program } from "acorn";

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
  const nodes = nodesOf(program);
  const requires = new Set(["require", ...nodes.flatMap(madeRequire)]);
  for (const node of nodes) {
    const { start } = node;
    const { how, specifier } = referenceAt(node, requires) ?? {};
    if (specifier === null) computed = true;
    else if (how !== undefined && specifier !== undefined)
      named.set(`${how} ${specifier}`, { how, specifier, start });
  }
  const inOrder = [...named.values()].toSorted((a, b) => a.start - b.start);
  return { named: inOrder.map(({ how, specifier }) => ({ how, specifier })), computed };
}

function nodesOf(program: Program): readonly AnyNode[] {
  const nodes: AnyNode[] = [program];
  // The list grows while it is walked.
  for (const node of nodes) {
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child)) nodes.push(child);
    }
  }
  return nodes;
}

/** The name of what `createRequire` made. */
function madeRequire(node: AnyNode): readonly string[] {
  const isMade = node.type === "VariableDeclarator" && node.init && isCreateRequire(node.init);
  return isMade && node.id.type === "Identifier" ? [node.id.name] : [];
}

function isCreateRequire(node: AnyNode): node is CallExpression {
  if (node.type !== "CallExpression") return false;
  const { callee } = node;
  return isNamed(callee.type === "MemberExpression" ? callee.property : callee, "createRequire");
}

interface Found {
  readonly how: Reference["how"];
  /** Null: it is computed. */
  readonly specifier: string | null;
}

/** @param requires names by which it calls `require` */
function referenceAt(node: AnyNode, requires: ReadonlySet<string>): Found | null {
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
      const { callee } = node;
      const [argument] = node.arguments;
      if (argument === undefined) return null;
      // What is required from another place is not looked for there.
      if (isCreateRequire(node))
        return isOwnPlace(argument) ? null : { how: "require", specifier: null };
      const isRequire =
        isCreateRequire(callee) || (callee.type === "Identifier" && requires.has(callee.name));
      return isRequire ? { how: "require", specifier: textOf(argument) } : null;
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
  return base !== undefined && isMeta(base, "url") && file !== undefined ? textOf(file) : null;
}

function isMeta(node: AnyNode, name: string): boolean {
  return (
    node.type === "MemberExpression" &&
    node.object.type === "MetaProperty" &&
    isNamed(node.property, name)
  );
}

/** Where the module itself lies. */
function isOwnPlace(node: AnyNode): boolean {
  return isMeta(node, "url") || isMeta(node, "filename") || isNamed(node, "__filename");
}

function isNamed(node: AnyNode, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
