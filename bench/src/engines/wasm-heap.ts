/**
 * Watches the memories that WebAssembly engines make in this realm; to be called before an engine is imported.
 * A WebAssembly memory only grows, so what it holds at the end is its peak.
 * @returns the bytes of all of them together
 */
export function watchWasmHeap(): () => number {
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return () => memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
}
