/** What relative addresses are relative to: of a page its base, of a worker where its script lies. Undefined elsewhere. */
export function pageAddress(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}
