import type { Step } from "@pare/compiler";
import type { Command } from "commander";

export interface KeepMetadataOptions {
  readonly keepMetadata?: boolean;
}

/** `--keep-metadata`, of the verbs that simplify. */
export function addKeepMetadata(command: Command): void {
  command.option(
    "--keep-metadata",
    "keep what exporters wrote about nodes and values (doc_string, metadata_props)",
  );
}

export function simplifyStep({ keepMetadata }: KeepMetadataOptions): Step {
  return keepMetadata === true
    ? { use: "simplify", with: { keepMetadata: true } }
    : { use: "simplify" };
}
