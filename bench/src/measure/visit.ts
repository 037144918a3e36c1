import { readFile } from "node:fs/promises";
import type { LoadOptions, MeasureRequest, ModelSource } from "@pare/runtime/format";
import type { EngineHost, LoadedModel } from "../engines/host.js";
import { type ModelBytes, readModel } from "../engines/model-bytes.js";
import { hashOf } from "./size.js";

export interface Model {
  readonly bytes: ModelBytes;
  readonly hash: string;
}

export function loadOptions({ session, signal }: MeasureRequest): LoadOptions {
  return { ...(session && { session }), ...(signal && { signal }) };
}

/** The models of one request, each loaded at most once per engine, and all unloaded in the end. */
export class Visit {
  readonly request: MeasureRequest;
  readonly #loaded = new Map<
    string,
    { readonly host: EngineHost; readonly model: Promise<LoadedModel> }
  >();
  #bytes: Promise<Model> | undefined;
  #baselineBytes: Promise<Model> | undefined;

  constructor(request: MeasureRequest) {
    this.request = request;
  }

  bytes(): Promise<Model> {
    return (this.#bytes ??= open(this.request.model));
  }

  /** The request's own model where it has no baseline. */
  baselineBytes(): Promise<Model> {
    return (this.#baselineBytes ??= open(this.request.baseline ?? this.request.model));
  }

  modelOn(host: EngineHost): Promise<LoadedModel> {
    return this.#load("model", host, this.request.model, loadOptions(this.request));
  }

  baselineOn(host: EngineHost): Promise<LoadedModel> {
    const { baseline, model, signal } = this.request;
    return this.#load("baseline", host, baseline ?? model, signal ? { signal } : {});
  }

  async leave(): Promise<void> {
    for (const { host, model } of this.#loaded.values()) {
      await model.then((loaded) => host.unload(loaded)).catch(() => {}); // what failed has been reported, or is gone with its engine
    }
  }

  #load(
    role: string,
    host: EngineHost,
    model: ModelSource,
    options: LoadOptions,
  ): Promise<LoadedModel> {
    const key = `${role} ${host.target}`;
    const known = this.#loaded.get(key);
    if (known) return known.model;
    const loading = host.load(model, options);
    this.#loaded.set(key, { host, model: loading });
    return loading;
  }
}

async function open(source: ModelSource): Promise<Model> {
  const bytes = await readModel(source, readFile);
  return { bytes, hash: hashOf(bytes) };
}
