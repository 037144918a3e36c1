// The few functions of Node that platform/node.ts uses. Declared here because the types of Node, once
// included, would make `process` and `Buffer` valid everywhere in a package that also runs in browsers.
declare module "node:fs/promises" {
  export function readFile(
    path: string | URL,
    options?: { signal?: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer>>;
  export function stat(path: string | URL): Promise<{ readonly size: number; isFile(): boolean }>;
}
declare module "node:os" {
  export function totalmem(): number;
}
declare module "node:path" {
  export function resolve(...parts: string[]): string;
}
declare module "node:url" {
  export function pathToFileURL(path: string): URL;
}
