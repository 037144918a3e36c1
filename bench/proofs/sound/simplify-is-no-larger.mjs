// What `pare simplify` writes is no larger, and has no more nodes, than what onnxslim and onnxsim make of the same model;
// and onnxruntime gives the numbers that it gave for the model.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openHosts } from "../../../bench/dist/index.js";
import { decodeModel, encodeModel, inferNode } from "../../../compiler/dist/index.js";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { findPython } from "../../peers/python.mjs";
import { beforeJumps } from "../before-jumps.mjs";
import { knownModels } from "../known-models.mjs";
import { compareOutputs } from "../same-outputs.mjs";
import { pare, run, scratch } from "../shell.mjs";

/** Of the largest number in an output: what is folded rounds otherwise than what is computed. */
const tolerance = 1e-4;

export async function prove({ claim, inform, root }) {
  const python = await findPython();
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    const { hosts, dispose } = await openHosts(["cpu"]);
    try {
      const host = hosts.get("cpu");
      if (host === undefined) throw new Error("onnxruntime-node does not run here");
      for (const [index, { name, path }] of models.entries()) {
        const out = join(folder, `${index}.pare.onnx`);
        const { code, stderr } = await pare(root, ["simplify", path, "--quiet", "-o", out]);
        if (code !== 0) {
          const note = stderr.slice(-300);
          claim(`${name}: pare simplify exits with`, { value: code, bound: 0, met: false, note });
          continue;
        }
        const peers = [];
        for (const tool of ["onnxslim", "onnxsim"])
          peers.push(await peer(path, join(folder, `${index}.${tool}.onnx`), tool));
        compare(name, await facts(path), await facts(out), peers);
        await sameOutputs(name, host, path, out);
      }
    } finally {
      await dispose();
    }
    inform("models", { value: models.length });
    inform("sources that cannot be had here", {
      value: missing.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
  });

  /** What a tool makes of a model; its nodes are counted in ONNX's own operators. */
  async function peer(path, out, tool) {
    const script = join(root, "bench/peers/simplify.py");
    const make = async (file, ...options) => {
      const { code } = await run(python, [script, path, file, "--tool", tool, ...options]);
      return code === 0 ? facts(file) : null;
    };
    const made = await make(out);
    if (made === null) return { tool, bytes: null, nodes: null, fused: null };
    const given = await facts(path);
    const isStandard = [...made.domains].every((domain) => given.domains.has(domain));
    const standard = isStandard ? made : await make(`${out}.standard`, "--standard");
    return {
      tool,
      bytes: made.bytes,
      nodes: standard?.nodes ?? null,
      fused: isStandard ? null : made.nodes,
    };
  }

  function compare(name, before, own, peers) {
    if (peers.every(({ bytes }) => bytes === null))
      claim(`${name}: a tool to compare with`, { value: "none", bound: "one", met: false });
    for (const what of ["bytes", "nodes"]) {
      const others = peers.map((each) => each[what]).filter((count) => count !== null);
      const bound = Math.min(before[what], ...others);
      const said = peers.map((each) => `${each.tool} ${each[what] ?? "failed"}`);
      const fused = what === "nodes" ? peers.filter((each) => each.fused !== null) : [];
      said.push(
        ...fused.map(
          (each) => `${each.tool} with an operator that only onnxruntime has ${each.fused}`,
        ),
      );
      claim(`${name}: ${what}`, {
        value: own[what],
        bound: `<= ${bound}`,
        met: own[what] <= bound,
        note: [`${before[what]} before`, ...said].join(", "),
      });
    }
  }

  async function sameOutputs(name, host, before, after) {
    const [given, made] = [await read(before), await read(after)];
    const [jumps, others] = [beforeJumps(given), beforeJumps(made)];
    const bytes = async (file, graph) =>
      jumps === 0 ? new Uint8Array(readFileSync(file)) : (await encodeModel(graph)).proto;
    const [one, other] = [await bytes(before, given), await bytes(after, made)];
    const { worst, runs, elements } = await compareOutputs(host, one, other);
    claim(`${name}: outputs on onnxruntime, of the largest`, {
      value: worst,
      bound: `<= ${tolerance}`,
      n: runs,
      met: worst <= tolerance && elements > 0 && jumps === others,
      note: `${elements} numbers${jumps === 0 ? "" : `; compared before ${jumps} Equal, which jumps`}`,
    });
  }
}

async function read(file) {
  const proto = byteSource(new Uint8Array(readFileSync(file)));
  return decodeModel({ proto, external: new Map() }, { infer: inferNode });
}

/** Nodes of all bodies, Constants counted. */
async function facts(file) {
  const graph = await read(file);
  const nodes = [...graph.allNodes()];
  return {
    bytes: statSync(file).size,
    nodes: nodes.length,
    domains: new Set(nodes.map(({ domain }) => domain)),
  };
}
