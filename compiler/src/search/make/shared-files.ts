import { type Artifact, fileHash, type NamedBytes } from "@pare/runtime/format";

/** Targets often get the same file, of hundreds of megabytes where the model is large: it is in memory once. */
export class SharedFiles {
  readonly #known = new Map<string, WeakRef<Uint8Array>>();

  /** The same artifact, with the bytes of files that another has already. */
  async share(artifact: Artifact): Promise<Artifact> {
    const [first, ...others] = artifact.files;
    const files = [
      await this.#once(first),
      ...(await Promise.all(others.map((file) => this.#once(file)))),
    ] as const;
    return { ...artifact, files };
  }

  async #once({ name, bytes }: NamedBytes): Promise<NamedBytes> {
    const hash = await fileHash(bytes);
    const shared = this.#known.get(hash)?.deref() ?? bytes;
    this.#known.set(hash, new WeakRef(shared));
    return { name, bytes: shared };
  }
}
