import { findPass, type Graph } from "@pare/compiler";

/** A copy to count with: what exporters compute sizes with hides them, and is folded away. */
export async function simplified(graph: Graph): Promise<Graph> {
  const fork = graph.fork();
  const pass = findPass("simplify");
  await pass.create(pass.parse({})).run(fork, {});
  return fork;
}
