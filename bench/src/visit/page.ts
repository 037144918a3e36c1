import { bytes, digits, speed, targetText } from "../report/figures.js";
import type { ContestRow, ContestState, PageCommand } from "./state.js";

// The script of the page that a visitor's browser opens: starts workers as it is told, and shows what is known. Names of
// models and engines become text, never markup.
const workers = new Map<number, Worker>();

function obey(command: PageCommand): void {
  switch (command.kind) {
    case "start":
      return start(command.id, command.query);
    case "end":
      workers.get(command.id)?.terminate();
      workers.delete(command.id);
      return;
    case "show":
      return show(command.state);
    default:
      command satisfies never;
  }
}

function start(id: number, query: string): void {
  const worker = new Worker(`bench/engines/browser-worker.bundle.js?${query}`, { type: "module" });
  worker.onerror = (event) => {
    const body = event.message ?? "its code did not load";
    void fetch(`call/${id}`, { method: "DELETE", body });
  };
  workers.set(id, worker);
}

function show({ model, browser, phase, isOver, rows }: ContestState): void {
  document.title = `${model} – Pare`;
  put("model", model);
  put("browser", browser);
  put("phase", phase);
  document.body.dataset["over"] = String(isOver);
  const body = document.querySelector("tbody");
  body?.replaceChildren(...rows.map(rowOf));
}

function rowOf(row: ContestRow): HTMLTableRowElement {
  const line = document.createElement("tr");
  line.dataset["target"] = row.target;
  const download = row.downloadBytes;
  const cells = [
    row.failure === null ? targetText(row.target) : `${targetText(row.target)}: ${row.failure}`,
    row.engine ?? "…",
    download === null ? "…" : bytes(download.brotli),
    download === null ? "…" : bytes(download.gzip),
    row.startupMs === null ? "…" : `${digits(row.startupMs)} ms`,
    row.latencyMs === null ? "…" : `${digits(row.latencyMs.p50)} ms`,
    row.latencyMs === null ? "" : speed(row.latencyMs),
  ];
  line.append(
    ...cells.map((text, at) => {
      const cell = document.createElement(at === 0 ? "th" : "td");
      cell.textContent = row.failure !== null && text === "…" ? "–" : text;
      return cell;
    }),
  );
  return line;
}

function put(id: string, text: string): void {
  const element = document.getElementById(id);
  if (element !== null) element.textContent = text;
}

const commands = new EventSource("call/visit");
commands.onmessage = ({ data }) => obey(JSON.parse(String(data)) as PageCommand);
commands.onerror = () => {
  // Whoever serves the page has ended, or another page took its place: what was shown stays.
  commands.close();
  for (const worker of workers.values()) worker.terminate();
  if (document.body.dataset["over"] !== "true")
    put("phase", "The command line has ended, or the page is open elsewhere.");
};
