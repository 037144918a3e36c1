import { type ByteSource, isRecord, PareError } from "@pare/runtime/format";

/** An attribute as protobuf's JSON has it. */
export interface AttributeValue {
  readonly b?: boolean;
  readonly s?: string;
  readonly type?: string;
  readonly list?: { readonly i?: readonly (string | number)[] };
}

export interface TensorflowNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, AttributeValue>>;
}

interface Signature {
  readonly name: string;
  readonly tensorShape: { readonly dim: readonly { readonly size: string }[] };
}

/** A graph model: `model.json` and the shards of weights that it names. */
export interface GraphModel {
  readonly format: "graph-model";
  readonly modelTopology: { readonly node: readonly TensorflowNode[] };
  readonly signature: {
    readonly inputs: Readonly<Record<string, Signature>>;
    readonly outputs: Readonly<Record<string, Signature>>;
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly {
      readonly name: string;
      readonly shape: readonly number[];
      readonly dtype: string;
    }[];
  }[];
}

/** @throws PareError MODEL_INVALID */
export async function readGraphModel(main: ByteSource): Promise<GraphModel> {
  const text = new TextDecoder().decode(await main.read(0, main.size));
  const data: unknown = JSON.parse(text);
  if (isGraphModel(data)) return data;
  throw new PareError("MODEL_INVALID", "This is no TensorFlow.js graph model.", {
    hint: "A layers model has to be converted to a graph model first.",
  });
}

function isGraphModel(value: unknown): value is GraphModel {
  return (
    isRecord(value) &&
    value["format"] === "graph-model" &&
    isRecord(value["modelTopology"]) &&
    isRecord(value["signature"]) &&
    Array.isArray(value["weightsManifest"])
  );
}
