import { zipSync } from "fflate";
import { compile } from "./compile.js";

const drop = document.querySelector("#drop");
const chosen = document.querySelector("input[type=file]");
const options = document.querySelector("#options");
const status = document.querySelector("[role=status]");
const link = document.querySelector("a");
const list = document.querySelector("ul");

let given = [];
drop.ondragover = (event) => event.preventDefault();
drop.ondrop = (event) => {
  event.preventDefault();
  return take([...event.dataTransfer.files]);
};
chosen.onchange = () => take([...chosen.files]);
document.querySelector("button").onclick = () => take(given);

async function take(files) {
  if (files.length === 0) return;
  given = files;
  link.hidden = true;
  list.replaceChildren();
  const { name } = modelAmong(files);
  status.textContent = `Compiling ${name} …`;
  try {
    const parts = files.map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())]);
    const contents = new Map(await Promise.all(parts));
    show(name, await compile(name, contents, parseOptions(options.value)));
  } catch (error) {
    // A PareError says what to do as well.
    status.textContent = `${name}: ${error.message} ${error.hint ?? ""}`;
  }
}

/** The others hold its weights, or say something about it, as Teachable Machine's metadata.json does. */
function modelAmong(files) {
  const named = (pattern) => files.find(({ name }) => pattern.test(name));
  return named(/\.onnx$/i) ?? named(/^model\.json$/i) ?? named(/\.json$/i) ?? files[0];
}

function show(name, { operators, assumption, reasons, files, sizes }) {
  if (reasons.length > 0) {
    status.textContent = `${name} does not compile.`;
    lines(reasons.map(({ op, count, reason, nodes }) => `${count} × ${op}: ${reason} (${nodes})`));
    return;
  }
  status.textContent = `${name}: ${sizes.before} bytes are ${sizes.after} bytes of modules. ${assumption ?? ""}`;
  lines(operators.map(([op, count]) => `${count} × ${op}`));
  const folder = `${name.replace(/\.\w+$/, "")}.pare`;
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
