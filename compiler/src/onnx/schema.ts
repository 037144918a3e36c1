import type { Slice } from "./slice.js";

/**
 * The messages of onnx.proto (IR version 14), as data: field → [number, kind]. A kind is a scalar or a message;
 * `[]` repeats it, `[packed]` repeats it packed when written. A field that is new in ONNX is a row here.
 */
export const messages = {
  ModelProto: {
    irVersion: [1, "int64"],
    producerName: [2, "string"],
    producerVersion: [3, "string"],
    domain: [4, "string"],
    modelVersion: [5, "int64"],
    docString: [6, "string"],
    graph: [7, "GraphProto"],
    opsetImport: [8, "OperatorSetIdProto[]"],
    metadataProps: [14, "StringStringEntryProto[]"],
    trainingInfo: [20, "TrainingInfoProto[]"],
    functions: [25, "FunctionProto[]"],
    configuration: [26, "DeviceConfigurationProto[]"],
  },
  GraphProto: {
    node: [1, "NodeProto[]"],
    name: [2, "string"],
    initializer: [5, "TensorProto[]"],
    docString: [10, "string"],
    input: [11, "ValueInfoProto[]"],
    output: [12, "ValueInfoProto[]"],
    valueInfo: [13, "ValueInfoProto[]"],
    quantizationAnnotation: [14, "TensorAnnotation[]"],
    sparseInitializer: [15, "SparseTensorProto[]"],
    metadataProps: [16, "StringStringEntryProto[]"],
  },
  NodeProto: {
    input: [1, "string[]"],
    output: [2, "string[]"],
    name: [3, "string"],
    opType: [4, "string"],
    attribute: [5, "AttributeProto[]"],
    docString: [6, "string"],
    domain: [7, "string"],
    overload: [8, "string"],
    metadataProps: [9, "StringStringEntryProto[]"],
    deviceConfigurations: [10, "NodeDeviceConfigurationProto[]"],
  },
  AttributeProto: {
    name: [1, "string"],
    f: [2, "float"],
    i: [3, "int64"],
    s: [4, "bytes"],
    t: [5, "TensorProto"],
    g: [6, "GraphProto"],
    floats: [7, "float[]"],
    ints: [8, "int64[]"],
    strings: [9, "bytes[]"],
    tensors: [10, "TensorProto[]"],
    graphs: [11, "GraphProto[]"],
    docString: [13, "string"],
    tp: [14, "TypeProto"],
    typeProtos: [15, "TypeProto[]"],
    type: [20, "int32"],
    refAttrName: [21, "string"],
    sparseTensor: [22, "SparseTensorProto"],
    sparseTensors: [23, "SparseTensorProto[]"],
  },
  ValueInfoProto: {
    name: [1, "string"],
    type: [2, "TypeProto"],
    docString: [3, "string"],
    metadataProps: [4, "StringStringEntryProto[]"],
  },
  TensorProto: {
    dims: [1, "int64[]"],
    dataType: [2, "int32"],
    segment: [3, "SegmentProto"],
    floatData: [4, "float[packed]"],
    int32Data: [5, "int32[packed]"],
    stringData: [6, "bytes[]"],
    int64Data: [7, "int64[packed]"],
    name: [8, "string"],
    rawData: [9, "data"],
    doubleData: [10, "double[packed]"],
    uint64Data: [11, "uint64[packed]"],
    docString: [12, "string"],
    externalData: [13, "StringStringEntryProto[]"],
    dataLocation: [14, "int32"],
    metadataProps: [16, "StringStringEntryProto[]"],
  },
  SegmentProto: { begin: [1, "int64"], end: [2, "int64"] },
  SparseTensorProto: {
    values: [1, "TensorProto"],
    indices: [2, "TensorProto"],
    dims: [3, "int64[]"],
  },
  TypeProto: {
    tensorType: [1, "TensorTypeProto"],
    sequenceType: [4, "ElementTypeProto"],
    mapType: [5, "MapTypeProto"],
    denotation: [6, "string"],
    opaqueType: [7, "OpaqueTypeProto"],
    sparseTensorType: [8, "TensorTypeProto"],
    optionalType: [9, "ElementTypeProto"],
  },
  TensorTypeProto: { elemType: [1, "int32"], shape: [2, "TensorShapeProto"] },
  ElementTypeProto: { elemType: [1, "TypeProto"] },
  MapTypeProto: { keyType: [1, "int32"], valueType: [2, "TypeProto"] },
  OpaqueTypeProto: { domain: [1, "string"], name: [2, "string"] },
  TensorShapeProto: { dim: [1, "DimensionProto[]"] },
  DimensionProto: { dimValue: [1, "int64"], dimParam: [2, "string"], denotation: [3, "string"] },
  OperatorSetIdProto: { domain: [1, "string"], version: [2, "int64"] },
  StringStringEntryProto: { key: [1, "string"], value: [2, "string"] },
  TensorAnnotation: {
    tensorName: [1, "string"],
    quantParameterTensorNames: [2, "StringStringEntryProto[]"],
  },
  TrainingInfoProto: {
    initialization: [1, "GraphProto"],
    algorithm: [2, "GraphProto"],
    initializationBinding: [3, "StringStringEntryProto[]"],
    updateBinding: [4, "StringStringEntryProto[]"],
  },
  FunctionProto: {
    name: [1, "string"],
    input: [4, "string[]"],
    output: [5, "string[]"],
    attribute: [6, "string[]"],
    node: [7, "NodeProto[]"],
    docString: [8, "string"],
    opsetImport: [9, "OperatorSetIdProto[]"],
    domain: [10, "string"],
    attributeProto: [11, "AttributeProto[]"],
    valueInfo: [12, "ValueInfoProto[]"],
    overload: [13, "string"],
    metadataProps: [14, "StringStringEntryProto[]"],
  },
  DeviceConfigurationProto: {
    name: [1, "string"],
    numDevices: [2, "int32"],
    device: [3, "string[]"],
  },
  NodeDeviceConfigurationProto: {
    configurationId: [1, "string"],
    shardingSpec: [2, "ShardingSpecProto[]"],
    pipelineStage: [3, "int32"],
  },
  ShardingSpecProto: {
    tensorName: [1, "string"],
    device: [2, "int64[]"],
    indexToDeviceGroupMap: [3, "IntIntListEntryProto[]"],
    shardedDim: [4, "ShardedDimProto[]"],
  },
  IntIntListEntryProto: { key: [1, "int64"], value: [2, "int64[]"] },
  ShardedDimProto: { axis: [1, "int64"], simpleSharding: [2, "SimpleShardedDimProto[]"] },
  SimpleShardedDimProto: {
    dimValue: [1, "int64"],
    dimParam: [2, "string"],
    numShards: [3, "int64"],
  },
} as const;

export type MessageName = keyof typeof messages;

interface Scalars {
  int32: number;
  int64: bigint;
  uint64: bigint;
  float: number;
  double: number;
  string: string;
  bytes: Uint8Array;
  /** Bytes that stay where they are when they are many. */
  data: Uint8Array | Slice;
}
export type Scalar = keyof Scalars;

type FieldValue<Kind> = Kind extends `${infer Element}[packed]`
  ? FieldValue<Element>[] | Slice
  : Kind extends `${infer Element}[]`
    ? FieldValue<Element>[]
    : Kind extends Scalar
      ? Scalars[Kind]
      : Kind extends MessageName
        ? Message<Kind>
        : never;

/** A field of a later ONNX, as it was; the tag holds its number and encoding. */
export interface UnknownField {
  readonly tag: number;
  readonly value: bigint | Uint8Array | Slice;
}

/** A decoded message: a field that was not there is absent, so that what was read is written back equal. */
export type Message<Name extends MessageName> = {
  -readonly [Field in keyof (typeof messages)[Name]]?: FieldValue<
    (typeof messages)[Name][Field] extends readonly [number, infer Kind] ? Kind : never
  >;
} & {
  unknown?: UnknownField[];
};

/** A field as decoding and encoding look at it. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly repeated: boolean;
  readonly packed: boolean;
  readonly of:
    | { readonly scalar: Scalar; readonly message?: undefined }
    | { readonly message: Table; readonly scalar?: undefined };
}

export interface Table {
  readonly name: MessageName;
  readonly byNumber: ReadonlyMap<number, Field>;
  /** In the order in which protobuf writes them. */
  readonly fields: readonly Field[];
}

const scalars: Readonly<Record<string, Scalar>> = {
  int32: "int32",
  int64: "int64",
  uint64: "uint64",
  float: "float",
  double: "double",
  string: "string",
  bytes: "bytes",
  data: "data",
};

function buildTables(): ReadonlyMap<string, Table> {
  const built = new Map<string, Table & { byNumber: Map<number, Field>; fields: Field[] }>();
  for (const name of Object.keys(messages) as MessageName[]) {
    built.set(name, { name, byNumber: new Map(), fields: [] });
  }
  for (const [name, table] of built) {
    const rows: Readonly<Record<string, readonly [number, string]>> = messages[name as MessageName];
    for (const [field, [number, kind]] of Object.entries(rows)) {
      const element = kind.replace(/\[.*$/, "");
      const scalar = scalars[element];
      const message = built.get(element);
      if (scalar === undefined && message === undefined) throw new TypeError(`No kind ${kind}.`);
      const of = message === undefined ? { scalar: scalar ?? "bytes" } : { message };
      const row: Field = {
        name: field,
        number,
        repeated: kind.endsWith("]"),
        packed: kind.endsWith("[packed]"),
        of,
      };
      table.byNumber.set(number, row);
      table.fields.push(row);
    }
    table.fields.sort((a, b) => a.number - b.number);
  }
  return built;
}

const tables = buildTables();

export function tableOf(name: MessageName): Table {
  const table = tables.get(name);
  if (table === undefined) throw new TypeError(`No message ${name}.`);
  return table;
}
