import { type Artifact, artifactBytes, artifactIdentity } from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { HeldModel } from "../engines/executor.js";
import type { EngineHost, LoadedModel } from "../engines/host.js";

interface Entry {
  readonly identity: string;
  readonly generation: number;
  readonly model: LoadedModel;
  readonly bytes: number;
  /** Targets are measured side by side, and ask one engine for several models at once. */
  users: number;
}

type Entries = Map<string, Entry>;

/** So many models, of so many bytes, stay loaded in an engine, and all that are in use. */
const keptModels = 4;
const keptBytes = 512 * 2 ** 20;

/** The models that were last used, loaded in their engines: a look at more samples need not load a file again. */
export class LoadedModels {
  readonly #hosts = new Map<EngineHost, Entries>();
  readonly #identities = new WeakMap<Artifact, Promise<string>>();

  identity(artifact: Artifact): Promise<string> {
    const known = this.#identities.get(artifact);
    if (known !== undefined) return known;
    const made = artifactIdentity(artifact);
    this.#identities.set(artifact, made);
    return made;
  }

  /** It stays loaded while the work goes on. */
  using<T>(
    host: EngineHost,
    artifact: Artifact,
    options: CallOptions,
    work: (model: LoadedModel) => Promise<T>,
  ): Promise<T> {
    return this.usingAll(host, [artifact], options, ([model]) => work(only(model)));
  }

  /** All of them at once; others that nobody uses give way where they are too many. */
  async usingAll<T>(
    host: EngineHost,
    artifacts: readonly Artifact[],
    options: CallOptions,
    work: (models: readonly LoadedModel[]) => Promise<T>,
  ): Promise<T> {
    const { models, release } = await this.#hold(host, artifacts, options);
    try {
      return await work(models);
    } finally {
      await release();
    }
  }

  /** It stays loaded until it is let go. */
  async hold(host: EngineHost, artifact: Artifact, options: CallOptions): Promise<HeldModel> {
    const { models, release } = await this.#hold(host, [artifact], options);
    return { model: only(models[0]), release };
  }

  /** What is asked for next is loaded anew; what is in use ends when it is let go. */
  async unload(host: EngineHost): Promise<void> {
    const entries = this.#entries(host);
    const idle = [...entries.values()].filter(({ users }) => users === 0);
    entries.clear();
    for (const entry of idle) await unload(host, entry);
  }

  async #hold(
    host: EngineHost,
    artifacts: readonly Artifact[],
    options: CallOptions,
  ): Promise<{ readonly models: readonly LoadedModel[]; release: () => Promise<void> }> {
    const entries = this.#entries(host);
    const held: Entry[] = [];
    const release = async (): Promise<void> => {
      for (const entry of held.splice(0)) await letGo(host, entries, entry);
    };
    try {
      for (const artifact of artifacts)
        held.push(await this.#take(host, entries, artifact, options));
    } catch (error) {
      await release();
      throw error;
    }
    await makeRoom(host, entries);
    return { models: held.map(({ model }) => model), release };
  }

  async #take(
    host: EngineHost,
    entries: Entries,
    artifact: Artifact,
    options: CallOptions,
  ): Promise<Entry> {
    const identity = await this.identity(artifact);
    const known = entries.get(identity);
    // The last to be used is the last to give way.
    entries.delete(identity);
    if (known !== undefined && known.generation === host.generation) {
      entries.set(identity, known);
      known.users += 1;
      return known;
    }
    const model = await host.load(artifact, options);
    const { generation } = host;
    const entry = { identity, generation, model, bytes: artifactBytes(artifact), users: 1 };
    entries.set(identity, entry);
    return entry;
  }

  #entries(host: EngineHost): Entries {
    const known = this.#hosts.get(host) ?? new Map<string, Entry>();
    this.#hosts.set(host, known);
    return known;
  }
}

function only(model: LoadedModel | undefined): LoadedModel {
  if (model === undefined) throw new RangeError("One model was asked for.");
  return model;
}

async function makeRoom(host: EngineHost, entries: Entries): Promise<void> {
  const size = (): number => [...entries.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [identity, entry] of entries) {
    if (entries.size <= keptModels && size() <= keptBytes) return;
    if (entry.users > 0) continue;
    entries.delete(identity);
    await unload(host, entry);
  }
}

/** What nobody asks for any more has only waited for its last user. */
async function letGo(host: EngineHost, entries: Entries, entry: Entry): Promise<void> {
  entry.users -= 1;
  if (entry.users === 0 && entries.get(entry.identity) !== entry) await unload(host, entry);
}

/** A model of an engine that is gone is gone with it. */
async function unload(host: EngineHost, { generation, model }: Entry): Promise<void> {
  if (generation === host.generation) await host.unload(model).catch(() => {});
}
