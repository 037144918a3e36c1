import { PareError } from "@pare/runtime/format";
import {
  attribute,
  bodiesOf,
  type Body,
  captures,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type ValueId,
} from "../../ir/index.js";
import { operatorOf } from "../../ops/index.js";
import { clampedHalves } from "../../quantize/half.js";
import { isKept, type KeepFloat } from "../quantization/keep-float.js";
import { type Beyond, isUntyped, staysFloat } from "./stays-float.js";

const float32 = 1;
const float16 = 10;

/** A body under another name is none that an If takes. */
const branches = ["then_branch", "else_branch"];

/** What was found out about a graph before it is converted. */
export interface HalfFacts {
  /** Every float32 initializer as float16. */
  readonly halves: ReadonlyMap<ValueId, Uint16Array>;
  readonly beyond: Beyond;
  /** Nodes that stay as they are by what is around them, or was seen of them, and why. */
  readonly kept: ReadonlyMap<NodeId, string>;
}

/**
 * Turns a graph's operators to float16, with casts where they meet what stays float32. The bodies of If, Loop and Scan
 * are converted too. What a loop's body is given and gives is float32 as before, with casts inside, so that what is
 * carried keeps its precision from round to round; an If gives float16 where both of its branches do.
 */
export class Converter {
  readonly #graph: Graph;
  readonly #editor: Editor;
  readonly #keepFloat: KeepFloat;
  readonly #facts: HalfFacts;
  /** Values that were float32 and are float16 now. */
  readonly #half = new Set<ValueId>();
  readonly #toHalf = new Map<ValueId, ValueId>();
  readonly #toFloat = new Map<ValueId, ValueId>();

  constructor(graph: Graph, editor: Editor, keepFloat: KeepFloat, facts: HalfFacts) {
    this.#graph = graph;
    this.#editor = editor;
    this.#keepFloat = keepFloat;
    this.#facts = facts;
  }

  convert(): this {
    const { main } = this.#graph;
    this.#convertNodes(main);
    const given = new Map<ValueId, ValueId>();
    main.outputs.forEach((output, index) => {
      if (!this.#half.has(output)) return;
      const known = given.get(output);
      const float = known ?? this.#givenAsFloat(output);
      given.set(output, float);
      this.#editor.setOutput(index, float);
    });
    return this;
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

  #convertNodes(body: Body): void {
    for (const node of this.#graph.order(body)) {
      const isAsked = isKept(this.#graph, node, this.#keepFloat);
      const asked = isAsked ? "it was asked to stay float32" : null;
      const found = this.#facts.kept.get(node.id) ?? null;
      if (bodiesOf(node).length > 0) this.#convertBodies(node, asked ?? found);
      else {
        const own = staysFloat(this.#graph, node, this.#facts.beyond);
        this.#convertOrKeep(node, asked ?? own ?? found);
      }
    }
  }

  #convertOrKeep(node: Node, why: string | null): void {
    if (why === null) {
      this.#convertNode(node);
      return;
    }
    const readsFloats = node.inputs.some((input) => input !== null && this.#isFloat(input));
    this.#giveFloats(node);
    if (readsFloats) this.#graph.leave("fp16", node, why);
  }

  #convertBodies(node: Node, asked: string | null): void {
    this.#giveFloats(node);
    const run = operatorOf(node)?.traits.bodies;
    const bodies = bodiesOf(node);
    const isWhole =
      run === "branches"
        ? branches.every((name) => node.attributes.get(name)?.type === "graph")
        : run !== undefined;
    const kept = asked ?? (isWhole ? null : `the bodies of ${node.op} stay float32`);
    const reasons = new Set<string>();
    for (const body of bodies) {
      const why = kept ?? this.#untyped(body);
      if (why === null) this.#convertNodes(body);
      else {
        this.#keepBody(body);
        reasons.add(why);
      }
    }
    for (const why of reasons) this.#graph.leave("fp16", node, why);
    node.outputs.forEach((output, index) => {
      if (output === null || run !== "branches") return;
      if (bodies.every((body) => this.#half.has(body.outputs[index] ?? output)))
        this.#half.add(output);
    });
    for (const body of bodies) this.#giveFloatOutputs(node, body);
  }

  /** What of a body has no known type, so that its operators cannot be told from those on other numbers. */
  #untyped(body: Body): string | null {
    const values = [
      ...body.inputs,
      ...[...body.nodes].flatMap((id) => this.#graph.node(id).outputs),
    ];
    for (const value of values) {
      if (value === null) continue;
      if (isUntyped(this.#graph, value))
        return `a body stays float32: the type of ${this.#graph.value(value).name} in it is not known`;
    }
    return null;
  }

  #giveFloatOutputs(node: Node, body: Body): void {
    body.outputs.forEach((output, index) => {
      const given = node.outputs[index];
      const isHalf = given !== undefined && given !== null && this.#half.has(given);
      if (!isHalf && this.#half.has(output))
        this.#editor.setOutput(index, this.#asFloat(output), body);
    });
  }

  /** Under the output's own name; a model may list one value as several outputs. */
  #givenAsFloat(output: ValueId): ValueId {
    const { name } = this.#graph.value(output);
    this.#editor.rename(output, `${name}_float16`);
    return this.#editor.add1("Cast", [output], { to: attribute.int(float32) }, { outputs: [name] });
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
    const given =
      typeof form === "object" && "outputs" in form
        ? node.outputs.slice(0, form.outputs)
        : node.outputs;
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
      attribute.tensor(Tensor.of("float16", tensor.dims, clampedHalves(tensor.data))),
    );
  }

  /** Lets a node that stays float32 read float32 again. */
  #giveFloats(node: Node): void {
    node.inputs.forEach((input, index) => {
      if (input !== null && this.#half.has(input))
        this.#editor.setInput(node.id, index, this.#asFloat(input));
    });
  }

  /** Lets a body that stays float32, and those in it, read float32 again where they capture. */
  #keepBody(body: Body): void {
    const inner = new Set<number>();
    const collect = (one: Body): void => {
      inner.add(one.id);
      for (const id of one.nodes) bodiesOf(this.#graph.node(id)).forEach(collect);
    };
    collect(body);
    for (const captured of captures(this.#graph, body)) {
      if (!this.#half.has(captured)) continue;
      for (const use of Array.from(this.#graph.value(captured).uses)) {
        const reader = use.kind === "node" ? this.#graph.node(use.node).body : use.body;
        if (!inner.has(reader)) continue;
        if (use.kind === "node")
          this.#editor.setInput(use.node, use.index, this.#asFloat(captured));
        else this.#editor.setOutput(use.index, this.#asFloat(captured), this.#graph.body(use.body));
      }
    }
  }

  /** In the body that the value is of: whoever can read the one can read the other. */
  #asHalf(value: ValueId): ValueId {
    const known = this.#toHalf.get(value);
    if (known !== undefined) return known;
    const { name, body } = this.#graph.value(value);
    const halves = this.#facts.halves.get(value);
    const tensor = this.#graph.constant(value);
    const made =
      halves !== undefined && tensor !== undefined
        ? this.#editor.constant(
            name,
            Tensor.of("float16", tensor.dims, halves),
            this.#graph.body(body),
          )
        : this.#cast(value, float16, `${name}_float16`);
    this.#toHalf.set(value, made);
    return made;
  }

  #asFloat(value: ValueId): ValueId {
    const known = this.#toFloat.get(value);
    const made = known ?? this.#cast(value, float32, `${this.#graph.value(value).name}_float32`);
    this.#toFloat.set(value, made);
    return made;
  }

  #cast(value: ValueId, to: number, name: string): ValueId {
    const body = this.#graph.body(this.#graph.value(value).body);
    return this.#editor.add1("Cast", [value], { to: attribute.int(to) }, { body, outputs: [name] });
  }

  #isFloat(value: ValueId): boolean {
    const { type } = this.#graph.value(value);
    return type.kind === "tensor" && type.dtype === "float32";
  }
}
