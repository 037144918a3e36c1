import { expect, it } from "vitest";
import { dim, edit, tensorType } from "../ir/index.js";
import { type Declared, graphOf } from "../rules/rule-case.test.support.js";
import { batchSymbols, namedSymbol } from "./batch.js";

function symbolsOf(inputs: Readonly<Record<string, Declared>>): readonly string[] {
  const [first = ""] = Object.keys(inputs);
  return batchSymbols(graphOf(inputs, (input, b) => ({ y: b.add("Relu", [input(first)]) })));
}

it("finds the free first axis of an input that has others, once", () => {
  expect(symbolsOf({ x: ["float32", "N", 3, "H", "W"] })).toEqual(["N"]);
  expect(symbolsOf({ x: ["float32", "N", 4], state: ["float32", 2, "N", 8] })).toEqual(["N"]);
  expect(symbolsOf({ x: ["float32", "N", 4], other: ["float32", "N", 4] })).toEqual(["N"]);
  expect(symbolsOf({ x: ["float32", "N", 4], other: ["float32", "M", 4] })).toEqual(["N", "M"]);
});

it("finds the second axis of what is called a state of so many layers and cells", () => {
  const x: Declared = ["float32", 1, 576];
  expect(symbolsOf({ x, state: ["float32", 2, "N", 128] })).toEqual(["N"]);
  expect(symbolsOf({ x, h0: ["float32", 1, "N", 64], c0: ["float32", 1, "M", 64] })).toEqual(["N", "M"]); // prettier-ignore
  expect(symbolsOf({ x, frames: ["float32", 2, "N", 128] })).toEqual([]);
  expect(symbolsOf({ x, state: ["float32", 2, "N", "cells"] })).toEqual([]);
  expect(symbolsOf({ x, state: ["float32", 2, "time", 128] })).toEqual([]);
});

it("takes positions for no batch where an encoder's answers are called hidden states", () => {
  const ids: Declared = ["int64", 1, 1];
  for (const name of ["encoder_hidden_states", "last_hidden_state", "encoderHiddenStates"])
    expect(symbolsOf({ ids, [name]: ["float32", 1, "s70", 32] }), name).toEqual([]);
  expect(symbolsOf({ ids, hidden_state: ["float32", 1, "N", 32] })).toEqual(["N"]);
});

it("finds none where the first axis is fixed, stands alone, or is none of a file's own", () => {
  expect(symbolsOf({ x: ["float32", 1, "length"] })).toEqual([]);
  expect(symbolsOf({ samples: ["float32", "length"] })).toEqual([]);
  expect(symbolsOf({ x: ["float32"] })).toEqual([]);
  const graph = graphOf({ x: ["float32", "N", 4] }, (input, b) => ({
    y: b.add("Relu", [input("x")]),
  }));
  const [x] = graph.main.inputs;
  if (x === undefined) throw new Error("There is no input.");
  const twice = tensorType("float32", [dim.multiply(2, dim.symbol("N")), 4]);
  edit(graph, "test", (editor) => editor.setType(x, twice), { interface: true });
  expect(batchSymbols(graph)).toEqual([]);
});

it("takes none for a batch that counts parts of one sample by its name", () => {
  const edges: Declared = ["int64", 2, "num_edges"];
  expect(symbolsOf({ x: ["float32", "num_nodes", 8], edges })).toEqual([]);
  expect(symbolsOf({ x: ["float32", "sequence_length", 8] })).toEqual([]);
  expect(symbolsOf({ x: ["float32", "batch_sequence", 8] })).toEqual(["batch_sequence"]);
  expect(symbolsOf({ x: ["float32", "sentences", 8] })).toEqual(["sentences"]);
});

it("finds a size that no file names, for each input its own", () => {
  const graph = graphOf({ x: ["float32", 1, 4], other: ["float32", 1, 4] }, (input, b) => ({
    y: b.add("Add", [input("x"), input("other")]),
  }));
  edit(
    graph,
    "test",
    (editor) => {
      for (const id of graph.main.inputs)
        editor.setType(id, tensorType("float32", [dim.unknown(), 4]));
    },
    { interface: true },
  );
  const found = batchSymbols(graph);
  expect(found).toHaveLength(2);
  expect(found.map(namedSymbol)).toEqual([undefined, undefined]);
});
