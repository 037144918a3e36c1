import type { LayerConfig } from "./layer-config.js";

/** What a layer gives at one of its calls. */
export interface LayerTensor {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** A layer being applied to tensors; of shared ones there are several. */
export interface Call {
  readonly layer: Layer;
  readonly inputs: readonly LayerTensor[];
}

export interface Layer {
  readonly name: string;
  readonly kind: string;
  readonly config: LayerConfig;
  /** Of a model that is a layer of another. */
  readonly network: Network | undefined;
  /** What is applied to each step, or in both directions. */
  readonly wrapped: Layer | undefined;
}

/** Layers by the names that others read them by. */
export interface Network {
  readonly name: string;
  readonly layers: ReadonlyMap<string, Layer>;
  readonly calls: ReadonlyMap<string, readonly Call[]>;
  readonly inputs: readonly LayerTensor[];
  readonly outputs: readonly LayerTensor[];
}
