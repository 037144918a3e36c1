/**
 * What a bundle's `index.js` exports by default: the bundle as data, so that a bundler can follow its files.
 * `$types` exists only for TypeScript: it carries inputs, outputs and state from `index.d.ts` to `load`.
 */
export interface BundleModule<
  Inputs extends object = object,
  Outputs extends object = object,
  State extends object = object,
> {
  /** As in manifest.json; validated when loaded. */
  readonly manifest: unknown;
  /** As in golden.json. */
  readonly golden: unknown;
  /** From the manifest's paths to where a bundler put the files. */
  readonly files: Readonly<Record<string, URL | string>>;
  readonly $types?: {
    readonly inputs: Inputs;
    readonly outputs: Outputs;
    readonly state?: State;
  };
}
