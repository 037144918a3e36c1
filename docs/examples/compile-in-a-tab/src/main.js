import { zipSync } from "fflate";
import { compile } from "./compile.js";

const drop = document.querySelector("#drop");
const chosen = document.querySelector("input[type=file]");
const options = document.querySelector("#options");
const status = document.querySelector("[role=status]");
const link = document.querySelector("a");
const list = document.querySelector("ul");

let file;
drop.ondragover = (event) => event.preventDefault();
drop.ondrop = (event) => {
  event.preventDefault();
  return take(event.dataTransfer.files[0]);
};
chosen.onchange = () => take(chosen.files[0]);
document.querySelector("button").onclick = () => take(file);

async function take(given) {
  if (given === undefined) return;
  file = given;
  link.hidden = true;
  list.replaceChildren();
  status.textContent = `Compiling ${file.name} …`;
  try {
    const bytes = new Uint8Array(await file.arrayBuffer());
    show(file.name, bytes.length, await compile(file.name, bytes, parseOptions(options.value)));
  } catch (error) {
    // A PareError says what to do as well.
    status.textContent = `${file.name}: ${error.message} ${error.hint ?? ""}`;
  }
}

function show(name, before, { operators, assumption, reasons, files, bytes }) {
  if (reasons.length > 0) {
    status.textContent = `${name} does not compile.`;
    lines(reasons.map(({ op, count, reason, nodes }) => `${count} × ${op}: ${reason} (${nodes})`));
    return;
  }
  status.textContent = `${name}: ${before} bytes of ONNX are ${bytes} bytes of modules. ${assumption ?? ""}`;
  lines(operators.map(([op, count]) => `${count} × ${op}`));
  const folder = `${name.replace(/\.onnx$/, "")}.pare`;
  const entries = [...files].map(([path, content]) => [`${folder}/${path}`, content]);
  const zip = new Blob([zipSync(Object.fromEntries(entries))], { type: "application/zip" });
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(zip);
  link.download = `${folder}.zip`;
  link.hidden = false;
}

/** Names of a model's are text, never markup. */
function lines(texts) {
  list.replaceChildren(
    ...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
  );
}

const kinds = { shape: "shapes", dim: "dims", const: "constants" };

/** As the command line has them, so that what is said of a model can be followed: `--dim length=64 --const sr=16000`. */
function parseOptions(text) {
  const given = { shapes: {}, dims: {}, constants: {} };
  for (const part of text.split(/\s*(?=--)/).filter(Boolean)) {
    const [, option, name, value] =
      /^--(shape|dim|const)[\s=]+(.+)=([\dx.,-]+|true|false)\s*$/.exec(part) ?? [];
    if (option === undefined)
      throw new Error(
        `"${part}" is no option: write --shape x=1x3x48x192, --dim length=64 or --const sr=16000.`,
      );
    given[kinds[option]][name] = valueOf(option, value);
  }
  return given;
}

function valueOf(option, text) {
  if (text === "true" || text === "false") return text === "true";
  const numbers = text.split(/[x,]/).map(Number);
  return option === "shape" || numbers.length > 1 ? numbers : numbers[0];
}
