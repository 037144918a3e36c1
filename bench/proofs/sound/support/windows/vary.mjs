// A model changed as exporters differ from each other: what it computes may be something else, and it is a model still.

/** Operators that take each other's place. */
const alike = [
  ["Add", "Sub", "Mul"],
  ["Max", "Min", "Sum", "Mean"],
  ["Relu", "Sigmoid", "Tanh", "Abs", "Neg", "Softplus", "Exp", "Erf", "Identity"],
  ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2", "ReduceProd"],
  ["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"],
  ["And", "Or", "Xor"],
  ["MaxPool", "AveragePool"],
  ["GlobalAveragePool", "GlobalMaxPool"],
  ["Softmax", "LogSoftmax"],
  ["ArgMax", "ArgMin"],
];
/** What may stand between a value and who reads it; of integers the engine has no Relu in each opset. */
const between = ["Identity", "Tanh", "Neg", "Sigmoid", "Abs"];

/** @returns what was done, in words; empty where there was nothing to do it to */
export function vary(model, random) {
  fresh = 0;
  const done = [];
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const [name, change] = random.of(changes);
    const said = change(model.graph, random);
    if (said !== false) done.push(`${name}: ${said}`);
  }
  return done;
}

/** Of the model that is changed: names are the same on every machine. */
let fresh = 0;
const freshName = () => `new_${fresh++}`;

const floats = (tensor) =>
  tensor.dataType === 1 && tensor.rawData?.length >= 4
    ? new Float32Array(Uint8Array.from(tensor.rawData).buffer)
    : null;
const longs = (tensor) =>
  tensor.dataType === 7 && tensor.rawData?.length >= 8
    ? new BigInt64Array(Uint8Array.from(tensor.rawData).buffer)
    : null;
const bytesOf = (array) => new Uint8Array(array.buffer);

/** Those that no body is given: bodies declare the types of what they get. */
function ownInitializers(graph) {
  const given = new Set(
    graph.node.flatMap(({ input, attribute }) =>
      attribute.some(({ g, graphs }) => g !== undefined || graphs?.length > 0) ? input : [],
    ),
  );
  return graph.initializer.filter(({ name }) => !given.has(name));
}

/** Initializers, and the values of Constant nodes. */
const tensorsOf = (graph) => [
  ...ownInitializers(graph),
  ...graph.node.flatMap((node) =>
    node.opType === "Constant"
      ? node.attribute.filter(({ t }) => t?.rawData instanceof Uint8Array).map(({ t }) => t)
      : [],
  ),
];

const changes = [
  [
    "another rank of a constant",
    (graph, random) => {
      const tensor = random.of(tensorsOf(graph));
      if (tensor === undefined) return false;
      tensor.dims = [...(tensor.dims ?? [])];
      const ones = tensor.dims.flatMap((size, axis) => (size === 1n ? [axis] : []));
      if (ones.length > 0 && random.chance(0.5)) tensor.dims.splice(random.of(ones), 1);
      else tensor.dims.splice(random.below(tensor.dims.length + 1), 0, 1n);
      return `${tensor.name} [${tensor.dims}]`;
    },
  ],
  [
    "other numbers of a constant",
    (graph, random) => {
      const tensor = random.of(tensorsOf(graph).filter((one) => floats(one) ?? longs(one)));
      if (tensor === undefined) return false;
      const values = floats(tensor) ?? longs(tensor);
      const isLong = values instanceof BigInt64Array;
      const drawn = () =>
        isLong
          ? BigInt(random.below(5) - 2)
          : random.of([0, 1, -1, 0.5, 2, -3, 1e-5, random.next() * 2 - 1]);
      if (random.chance(0.4)) values.fill(drawn());
      else values[random.below(values.length)] = drawn();
      tensor.rawData = bytesOf(values);
      return tensor.name;
    },
  ],
  [
    "one size of a constant alone",
    (graph, random) => {
      const tensor = random.of(
        ownInitializers(graph).filter((one) => floats(one) && (one.dims?.length ?? 0) > 0),
      );
      if (tensor === undefined) return false;
      const axis = random.below(tensor.dims.length);
      const inner = tensor.dims.slice(axis + 1).reduce((count, size) => count * Number(size), 1);
      const outer = tensor.dims.slice(0, axis).reduce((count, size) => count * Number(size), 1);
      const size = Number(tensor.dims[axis]);
      if (size < 2) return false;
      const from = floats(tensor);
      const made = new Float32Array(outer * inner);
      for (let at = 0; at < outer; at += 1)
        made.set(from.subarray(at * size * inner, at * size * inner + inner), at * inner);
      tensor.dims = tensor.dims.map((one, at) => (at === axis ? 1n : one));
      tensor.rawData = bytesOf(made);
      return `${tensor.name} [${tensor.dims}]`;
    },
  ],
  [
    "a constant that is an input",
    (graph, random) => {
      const at = random.below(graph.initializer.length);
      const tensor = graph.initializer[at];
      if (tensor === undefined) return false;
      const dim = tensor.dims.map((size) => ({ dimValue: size }));
      graph.input.push({
        name: tensor.name,
        type: { tensorType: { elemType: tensor.dataType, shape: { dim } } },
      });
      if (random.chance(0.8)) graph.initializer.splice(at, 1);
      return tensor.name;
    },
  ],
  [
    "an output more",
    (graph, random) => {
      const known = new Set(graph.output.map(({ name }) => name));
      const name = random.of(
        graph.node.flatMap((node) => node.output).filter((one) => one && !known.has(one)),
      );
      if (name === undefined) return false;
      graph.output.push({ name });
      return name;
    },
  ],
  [
    "another value read",
    (graph, random) => {
      const node = random.of(graph.node);
      const at = graph.node.indexOf(node);
      const known = [
        ...graph.input.map(({ name }) => name),
        ...graph.initializer.map(({ name }) => name),
        ...graph.node.slice(0, at).flatMap((one) => one.output),
      ].filter((name) => name !== "");
      if (node.input.length === 0 || known.length === 0) return false;
      const index = random.below(node.input.length);
      node.input[index] = random.of(known);
      return `${node.opType} ${index} ${node.input[index]}`;
    },
  ],
  [
    "inputs in another order",
    (graph, random) => {
      const node = random.of(graph.node.filter((one) => one.input.length === 2));
      if (node === undefined) return false;
      node.input.reverse();
      return node.opType;
    },
  ],
  [
    "another attribute",
    (graph, random) => {
      const node = random.of(
        graph.node.filter((one) => one.opType !== "Constant" && one.attribute.length > 0),
      );
      if (node === undefined) return false;
      // Unsorted, what TopK gives is in any order.
      const attribute = random.of(node.attribute.filter(({ name }) => name !== "sorted"));
      if (attribute === undefined) return false;
      const said = () => `${node.opType} ${attribute.name}`;
      if (random.chance(0.15)) {
        node.attribute = node.attribute.filter((one) => one !== attribute);
        return `${said()} gone`;
      }
      if (attribute.ints?.length > 0) {
        const ints = [...attribute.ints];
        if (attribute.name === "perm") ints.push(ints.splice(random.below(ints.length), 1)[0]);
        else ints[random.below(ints.length)] += random.of([-1n, 1n]);
        attribute.ints = ints;
        return `${said()} [${ints}]`;
      }
      if (typeof attribute.i === "bigint") {
        attribute.i = random.chance(0.5)
          ? BigInt(random.below(2))
          : attribute.i + random.of([-1n, 1n, -2n]);
        return `${said()} ${attribute.i}`;
      }
      if (typeof attribute.f === "number") {
        attribute.f = random.of([0, 1, 0.5, 2, -1, 1e-5, 1e-3]);
        return `${said()} ${attribute.f}`;
      }
      return false;
    },
  ],
  [
    "another operator",
    (graph, random) => {
      const node = random.of(
        graph.node.filter(({ opType }) => alike.some((set) => set.includes(opType))),
      );
      if (node === undefined) return false;
      const before = node.opType;
      node.opType = random.of(alike.find((set) => set.includes(before)));
      return `${before} ${node.opType}`;
    },
  ],
  [
    "a node between",
    (graph, random) => {
      const node = random.of(graph.node.filter((one) => one.input.some((name) => name !== "")));
      if (node === undefined) return false;
      const index = random.below(node.input.length);
      if (node.input[index] === "") return false;
      const name = freshName();
      const opType = random.of(between);
      graph.node.splice(graph.node.indexOf(node), 0, {
        opType,
        name,
        input: [node.input[index]],
        output: [name],
        attribute: [],
      });
      node.input[index] = name;
      return `${opType} before ${node.opType}`;
    },
  ],
  [
    "one node less",
    (graph, random) => {
      const node = random.of(
        graph.node.filter(
          (one) => one.opType !== "Constant" && one.output.length === 1 && one.input.length > 0,
        ),
      );
      if (node === undefined || graph.output.some(({ name }) => name === node.output[0]))
        return false;
      const name = random.of(node.input.filter((one) => one !== ""));
      if (name === undefined) return false;
      for (const other of graph.node)
        other.input = other.input.map((one) => (one === node.output[0] ? name : one));
      graph.node.splice(graph.node.indexOf(node), 1);
      return node.opType;
    },
  ],
  [
    "a node twice",
    (graph, random) => {
      const node = random.of(graph.node.filter(({ opType }) => opType !== "Constant"));
      if (node === undefined) return false;
      const output = node.output.map((name) => (name === "" ? "" : freshName()));
      graph.node.splice(graph.node.indexOf(node) + 1, 0, {
        ...node,
        name: freshName(),
        input: [...node.input],
        output,
        attribute: node.attribute.map((one) => ({ ...one })),
      });
      const readers = graph.node.filter((one) => one.input.includes(node.output[0]));
      if (readers.length === 0) graph.output.push({ name: output[0] });
      else {
        const reader = random.of(readers);
        reader.input[reader.input.indexOf(node.output[0])] = output[0];
      }
      return node.opType;
    },
  ],
  [
    "another size of an input",
    (graph, random) => {
      const input = random.of(graph.input);
      const dims = input?.type.tensorType.shape.dim;
      if (dims === undefined) return false;
      if (random.chance(0.2)) {
        const ones = dims.flatMap(({ dimValue }, axis) => (dimValue === 1n ? [axis] : []));
        if (ones.length > 0 && random.chance(0.5)) dims.splice(random.of(ones), 1);
        else dims.splice(0, 0, { dimValue: 1n });
        return `${input.name} ${dims.length} axes`;
      }
      if (dims.length === 0) return false;
      const axis = random.below(dims.length);
      dims[axis] = random.of([
        { dimValue: 1n },
        { dimValue: 2n },
        { dimParam: "free" },
        { dimParam: `free_${axis}` },
      ]);
      return `${input.name} ${axis}`;
    },
  ],
  [
    "a branch",
    (graph, random) => {
      const node = random.of(
        graph.node.filter(
          ({ opType, input, output }) =>
            opType !== "Constant" && output.length === 1 && input.some((name) => name !== ""),
        ),
      );
      if (node === undefined) return false;
      const at = graph.node.indexOf(node);
      const asked = random.of(node.input.filter((name) => name !== ""));
      const other = alike.find((set) => set.includes(node.opType)) ?? [node.opType];
      const body = (opType) => {
        const name = freshName();
        return {
          name,
          node: [{ ...node, opType, name: freshName(), output: [name] }],
          output: [{ name }],
        };
      };
      const [sum, least, above] = [freshName(), freshName(), freshName()];
      // Sums of what a mean was taken from are 0 but for rounding.
      graph.initializer.push({ name: least, dims: [], dataType: 1, rawData: bytesOf(Float32Array.of(0.37)) }); // prettier-ignore
      const keepdims = { name: "keepdims", i: BigInt(random.below(2)), type: 2 };
      const branch = (name, opType) => ({ name, g: body(opType), type: 5 });
      graph.node.splice(
        at,
        1,
        { opType: "ReduceSum", name: sum, input: [asked], output: [sum], attribute: [keepdims] },
        { opType: "Greater", name: above, input: [sum, least], output: [above], attribute: [] },
        {
          opType: "If",
          name: freshName(),
          input: [above],
          output: node.output,
          attribute: [branch("then_branch", node.opType), branch("else_branch", random.of(other))],
        },
      );
      return node.opType;
    },
  ],
];
