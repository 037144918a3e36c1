/** A file that its backend works on while it comes, before it is known to be what the manifest says. */
export interface Incoming {
  /** @param end how many bytes there are with these: fewer than before, where a download began anew */
  write(chunk: Uint8Array, end: number): void;
  /**
   * When all is there, and verified.
   * @returns a WebAssembly.Module, which not all that compile these types know by name; undefined where it has to be
   * compiled from its bytes
   */
  module(bytes: number): Promise<object | undefined>;
  /** Nothing comes of it: what came is let go. */
  cancel(): void;
}
