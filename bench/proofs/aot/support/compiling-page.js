// What a browser compiles ONNX files to, which lie beside the page: the names of the files, each its sha256, told in one POST.
import { compile } from "../../../../docs/examples/compile-in-a-tab/src/compile.js";

const told = { agent: navigator.userAgent, rows: [], error: null };
try {
  for (const { name, file, sizes } of await (await fetch("models.json")).json()) {
    const bytes = new Uint8Array(await (await fetch(file)).arrayBuffer());
    const { files } = await compile(file, new Map([[file, bytes]]), sizes);
    told.rows.push({
      name,
      files: [...files.keys()].filter((path) => path.startsWith("variants/")),
    });
  }
} catch (error) {
  told.error = `${error} ${error.stack}`;
}
await fetch("told", { method: "POST", body: JSON.stringify(told) });
