import { PareError } from "@pare/runtime/format";
import {
  edit,
  attribute,
  bodiesOf,
  captures,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type ValueId,
} from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import { clampedHalves } from "../quantize/half.js";
import { listOf, text } from "../pipeline/kinds.js";
import { option, type OptionsOf } from "../pipeline/options.js";
import { definePass } from "../pipeline/pass.js";
import { bringToNormalForm } from "./quantization/normal-form.js";

const described = {
  keepFloat: option(
    listOf(text),
    [],
    "Nodes by name, or operators by type, that stay float32 besides those that have no float16 form.",
  ),
};

type Fp16Options = OptionsOf<typeof described>;

export const fp16 = definePass({
  name: "fp16",
  summary: "all of the model in float16, inputs and outputs in float32 (WebGPU with shader-f16)",
  options: described,
  create: (options) => ({ exactness: "lossy", run: (graph) => run(graph, options) }),
});

const float32 = 1;
const float16 = 10;

async function run(graph: Graph, options: Fp16Options): Promise<void> {
  bringToNormalForm(graph);
  const untyped = [...graph.main.nodes]
    .map((id) => graph.node(id))
    .find((node) =>
      node.outputs.some((output) => output !== null && graph.value(output).type.kind === "unknown"),
    );
  if (untyped !== undefined) {
    throw new PareError(
      "UNSUPPORTED_OP",
      `float16 needs to know every type, but ${untyped.op} (${graph.nodeLabel(untyped)}) gives one that is not known.`,
      { where: graph.nodeLabel(untyped) },
    );
  }
  const halves = new Map<ValueId, { halves: Uint16Array; clamped: number }>();
  for (const value of graph.main.initializers) {
    const tensor = graph.constant(value);
    if (tensor?.dtype === "float32") halves.set(value, clampedHalves(await tensor.readFloat32()));
  }
  const converter = edit(graph, "fp16", (editor) =>
    new Converter(graph, editor, options, halves).convert(),
  );
  converter.verify();
}

class Converter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #keepFloat: readonly string[];
  readonly #constants: ReadonlyMap<ValueId, { halves: Uint16Array; clamped: number }>;
  /** Values that were float32 and are float16 now. */
  readonly #half = new Set<ValueId>();
  readonly #toHalf = new Map<ValueId, ValueId>();
  readonly #toFloat = new Map<ValueId, ValueId>();

  constructor(
    graph: Graph,
    editor: Editor,
    options: Fp16Options,
    constants: ReadonlyMap<ValueId, { halves: Uint16Array; clamped: number }>,
  ) {
    this.#graph = graph;
    this.#editor = editor;
    this.#keepFloat = options.keepFloat;
    this.#constants = constants;
  }

  convert(): this {
    for (const node of this.#graph.order()) {
      const why = this.#staysFloat(node);
      if (why === null) this.#convertNode(node);
      else {
        this.#keepNode(node);
        if (node.inputs.some((input) => input !== null && this.#isFloat(input)))
          this.#graph.leave("fp16", node, why);
      }
    }
    const given = new Map<ValueId, ValueId>();
    this.#graph.main.outputs.forEach((output, index) => {
      if (!this.#half.has(output)) return;
      const known = given.get(output);
      const float = known ?? this.#givenAsFloat(output);
      given.set(output, float);
      this.#editor.setOutput(index, float);
    });
    return this;
  }

  /** Under the output's own name; a model may list one value as several outputs. */
  #givenAsFloat(output: ValueId): ValueId {
    const { name } = this.#graph.value(output);
    this.#editor.rename(output, `${name}_float16`);
    return this.#editor.add1("Cast", [output], { to: attribute.int(float32) }, { outputs: [name] });
  }

  /** @throws PareError PASS_FAILED when inference does not find float16 where it should be */
  verify(): void {
    for (const value of this.#half) {
      if (!this.#graph.hasValue(value)) continue;
      const { type, name } = this.#graph.value(value);
      if (type.kind === "tensor" && type.dtype === "float16") continue;
      throw new PareError(
        "PASS_FAILED",
        `fp16 expected ${name} to become float16, but it did not.`,
        { where: name },
      );
    }
  }

  #staysFloat(node: Node): string | null {
    if (bodiesOf(node).length > 0) return "control flow stays float32";
    if (node.domain !== "") return `${node.domain}.${node.op} is not known to have a float16 form`;
    const operator = operatorOf(node);
    if (operator === undefined) return `${node.op} is not known, and so the type it would give`;
    if (operator.traits.float16 === "stays") return `${node.op} stays float32`;
    if (this.#keepFloat.includes(node.op) || this.#keepFloat.includes(this.#graph.nodeLabel(node)))
      return "it was asked to stay float32";
    return null;
  }

  #convertNode(node: Node): void {
    node.inputs.forEach((input, index) => {
      if (input !== null && this.#isFloat(input) && !this.#half.has(input))
        this.#editor.setInput(node.id, index, this.#asHalf(input));
    });
    const { outputDtype, float16: form } = operatorOf(node)?.traits ?? {};
    const [first] = node.outputs;
    if (outputDtype !== undefined && first !== null && first !== undefined && this.#isFloat(first))
      this.#editor.setAttribute(node.id, outputDtype, attribute.int(float16));
    if (node.op === "ConstantOfShape") this.#convertFill(node);
    const given = typeof form === "object" ? node.outputs.slice(0, form.outputs) : node.outputs;
    for (const output of given)
      if (output !== null && this.#isFloat(output)) this.#half.add(output);
    if (given.some((output) => output !== null && this.#half.has(output)))
      this.#editor.note(node, "float16");
  }

  #convertFill(node: Node): void {
    const value = node.attributes.get("value");
    const tensor = value?.type === "tensor" ? value.value : Tensor.float32([1], [0]);
    if (!(tensor.data instanceof Float32Array)) return;
    this.#editor.setAttribute(
      node.id,
      "value",
      attribute.tensor(Tensor.of("float16", tensor.dims, clampedHalves(tensor.data).halves)),
    );
  }

  /** Gives a node that stays float32, and the bodies in it, float32 again. */
  #keepNode(node: Node): void {
    node.inputs.forEach((input, index) => {
      if (input !== null && this.#half.has(input))
        this.#editor.setInput(node.id, index, this.#asFloat(input));
    });
    const inner = new Set<number>();
    const collect = (one: Node): void => {
      for (const body of bodiesOf(one)) {
        inner.add(body.id);
        for (const id of body.nodes) collect(this.#graph.node(id));
      }
    };
    collect(node);
    for (const captured of bodiesOf(node).flatMap((body) => captures(this.#graph, body))) {
      if (!this.#half.has(captured)) continue;
      for (const use of Array.from(this.#graph.value(captured).uses)) {
        const body = use.kind === "node" ? this.#graph.node(use.node).body : use.body;
        if (!inner.has(body)) continue;
        if (use.kind === "node")
          this.#editor.setInput(use.node, use.index, this.#asFloat(captured));
        else this.#editor.setOutput(use.index, this.#asFloat(captured), this.#graph.body(use.body));
      }
    }
  }

  #asHalf(value: ValueId): ValueId {
    const known = this.#toHalf.get(value);
    if (known !== undefined) return known;
    const { name } = this.#graph.value(value);
    const constant = this.#constants.get(value);
    const tensor = this.#graph.constant(value);
    const made =
      constant !== undefined && tensor !== undefined
        ? this.#editor.constant(name, Tensor.of("float16", tensor.dims, constant.halves))
        : this.#editor.add1(
            "Cast",
            [value],
            { to: attribute.int(float16) },
            { outputs: [`${name}_float16`] },
          );
    this.#toHalf.set(value, made);
    return made;
  }

  #asFloat(value: ValueId): ValueId {
    const known = this.#toFloat.get(value);
    if (known !== undefined) return known;
    const made = this.#editor.add1(
      "Cast",
      [value],
      { to: attribute.int(float32) },
      { outputs: [`${this.#graph.value(value).name}_float32`] },
    );
    this.#toFloat.set(value, made);
    return made;
  }

  #isFloat(value: ValueId): boolean {
    const { type } = this.#graph.value(value);
    return type.kind === "tensor" && type.dtype === "float32";
  }
}
