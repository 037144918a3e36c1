/**
 * Watches the memories that WebAssembly engines make in this realm, or modules that are models bring with them; to be
 * called before an engine is imported.
 * A WebAssembly memory only grows, so what it holds at the end is its peak.
 * @returns the bytes of all of them together
 */
export function watchWasmHeap(): () => number {
  const { Memory } = WebAssembly;
  const memories = new Set<WebAssembly.Memory>();
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.add(this);
    }
  };
  const instantiate = new Proxy(WebAssembly.instantiate, {
    async apply(target, self, given: unknown[]) {
      const made: unknown = await Reflect.apply(target, self, given);
      if (made instanceof WebAssembly.Instance)
        for (const exported of Object.values(made.exports))
          if (exported instanceof Memory) memories.add(exported);
      return made;
    },
  });
  Object.assign(WebAssembly, { instantiate });
  return () => [...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}
