import { type Artifact, artifactBytes, artifactIdentity } from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost, LoadedModel } from "../engines/host.js";

interface Entry {
  readonly generation: number;
  readonly model: Promise<LoadedModel>;
  readonly bytes: number;
}

/** So many models, of so many bytes, stay loaded in an engine. */
const keptModels = 4;
const keptBytes = 512 * 2 ** 20;

/** The models that were last used, loaded in their engines: a look at more samples need not load a file again. */
export class LoadedModels {
  readonly #hosts = new Map<EngineHost, Map<string, Entry>>();
  readonly #identities = new WeakMap<Artifact, Promise<string>>();

  identity(artifact: Artifact): Promise<string> {
    const known = this.#identities.get(artifact);
    if (known !== undefined) return known;
    const made = artifactIdentity(artifact);
    this.#identities.set(artifact, made);
    return made;
  }

  async on(host: EngineHost, artifact: Artifact, options: CallOptions): Promise<LoadedModel> {
    const [model] = await this.all(host, [artifact], options);
    if (model === undefined) throw new RangeError("One model was asked for.");
    return model;
  }

  async unload(host: EngineHost): Promise<void> {
    const entries = this.#hosts.get(host) ?? new Map<string, Entry>();
    this.#hosts.delete(host);
    for (const entry of entries.values()) await unload(host, entry);
  }

  /** All of them at once; others give way where they are too many. */
  async all(
    host: EngineHost,
    artifacts: readonly Artifact[],
    options: CallOptions,
  ): Promise<readonly LoadedModel[]> {
    const entries = this.#hosts.get(host) ?? new Map<string, Entry>();
    this.#hosts.set(host, entries);
    const wanted = await Promise.all(artifacts.map((artifact) => this.identity(artifact)));
    const models: LoadedModel[] = [];
    for (const [index, artifact] of artifacts.entries())
      models.push(await this.#one(host, entries, artifact, wanted[index] ?? "", options));
    await this.#makeRoom(host, entries, new Set(wanted));
    return models;
  }

  async #one(
    host: EngineHost,
    entries: Map<string, Entry>,
    artifact: Artifact,
    identity: string,
    options: CallOptions,
  ): Promise<LoadedModel> {
    const known = entries.get(identity);
    entries.delete(identity);
    if (known !== undefined && known.generation === host.generation) {
      entries.set(identity, known);
      return known.model;
    }
    const model = host.load(artifact, options);
    try {
      const loaded = await model;
      const { generation } = host;
      entries.set(identity, { generation, model, bytes: artifactBytes(artifact) });
      return loaded;
    } catch (error) {
      entries.delete(identity);
      throw error;
    }
  }

  async #makeRoom(
    host: EngineHost,
    entries: Map<string, Entry>,
    needed: ReadonlySet<string>,
  ): Promise<void> {
    const size = (): number => [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [identity, entry] of entries) {
      if (entries.size <= keptModels && size() <= keptBytes) return;
      if (needed.has(identity)) continue;
      entries.delete(identity);
      await unload(host, entry);
    }
  }
}

/** A model of an engine that is gone is gone with it. */
async function unload(host: EngineHost, { generation, model }: Entry): Promise<void> {
  if (generation === host.generation) await host.unload(await model).catch(() => {});
}
