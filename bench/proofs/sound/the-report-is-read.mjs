// Reports in Chromium on a phone's screen and on a desk's: nothing is cut, what came of it is first, every marker stands
// on its values and among samples of its own split, and no report names a folder of the machine that made it.
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { json, pare, run, scratch } from "../shell.mjs";
import { lookAt, offsets, openReport, withBrowser } from "./support/look-at-report.mjs";

const widths = [390, 1200];
/** Markers are drawn to a tenth of a pixel, and so are the ticks that they are held against. */
const mostOff = 0.2;

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const reports = await makeReports(root, folder);
    await withBrowser(async (browser) => {
      for (const { name, html, report } of reports)
        for (const width of widths)
          await read({ claim, browser, name: `${name} at ${width} px`, html, report, width });
    });

    const told = [folder, root.replace(/\/$/, ""), homedir(), tmpdir()].filter(
      (place) => place.length > 1,
    );
    const files = readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) =>
        /(?:report\.\w+|manifest\.json|pare\.lock\.json|\.(?:html|md|xml))$/.test(name),
      );
    const telling = files.filter((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      return told.some((place) => text.includes(place));
    });
    claim("reports that name a folder of this machine", {
      value: telling.length,
      bound: 0,
      n: files.length,
      met: files.length >= 8 && telling.length === 0,
      note: telling.join(", ") || undefined,
    });
  });
}

/** As users make them, every path absolute: a search on two targets, one without data, and a comparison of three files. */
async function makeReports(root, folder) {
  const model = join(folder, "a-model-with-a-name-that-is-longer-than-a-phone-is-wide.onnx");
  copyFileSync(join(root, "fixtures/models/mnist-cnn.onnx"), model);
  const data = join(folder, "test.npz");
  await succeed(
    run(process.execPath, [
      join(root, "bench/proofs/line/support/write-test-npz.mjs"),
      data,
      "600",
    ]),
  );
  /** A line of words, and what may hold spaces. */
  const command = (line, ...paths) =>
    succeed(pare(root, [...line.split(" "), ...paths], { cwd: folder }));
  const into = (name) => ["-o", join(folder, `${name}.pare`)];
  const reports = (name) => [
    "--report",
    `html=${join(folder, `${name}.html`)}`,
    `json=${join(folder, `${name}.report.json`)}`,
    `junit=${join(folder, `${name}.xml`)}`,
    `md=${join(folder, `${name}.md`)}`,
  ];
  const tried = [...into("searched"), ...reports("searched")];
  const search = "optimize --target cpu,wasm,webgpu --time-budget 60s --max-drop 0.02";
  await command(search, model, "--data", data, ...tried);
  const blind = [...into("blind"), ...reports("blind")];
  await command("optimize --target cpu --time-budget 20s", model, ...blind);
  const others = ["weights", "fp16"].map((mode) => join(folder, `${mode}.onnx`));
  for (const [index, mode] of ["weights", "fp16"].entries())
    await command(`quantize --mode ${mode}`, model, "-o", others[index]);
  await command(
    "bench --target cpu,wasm",
    model,
    ...others,
    "--data",
    data,
    ...reports("compared"),
  );
  return ["searched", "blind", "compared"].map((name) => ({
    name,
    html: join(folder, `${name}.html`),
    report: json(join(folder, `${name}.report.json`)),
  }));
}

async function succeed(running) {
  const { code, stderr } = await running;
  if (code !== 0) throw new Error(stderr.slice(-400));
}

async function read({ claim, browser, name, html, report, width }) {
  const page = await openReport(browser, html, width);
  const seen = await lookAt(page);
  await page.close();
  claim(`${name}: pixels that the page is wider than the screen`, {
    value: seen.tooWide,
    bound: 0,
    met: seen.tooWide <= 0,
  });
  claim(`${name}: what is cut`, {
    value: seen.cut.length,
    bound: 0,
    met: seen.cut.length === 0,
    note: seen.cut.slice(0, 3).join("; ") || undefined,
  });
  if (width < 800)
    claim(`${name}: tables that have to be scrolled`, {
      value: seen.scrolls,
      bound: 0,
      met: seen.scrolls === 0,
    });
  if (seen.checks !== null)
    claim(`${name}: pixels from the last card down to the checks`, {
      value: seen.checks - seen.cards,
      bound: "> 0",
      met: seen.checks > seen.cards,
    });
  const untimed = seen.panels.filter(
    ({ across, target }) =>
      across === "latency" &&
      report.variants.every((each) => each.target !== target || "unmeasured" in each.latencyMs),
  );
  claim(`${name}: plots of latency where nothing was timed`, {
    value: untimed.length,
    bound: 0,
    n: seen.panels.length,
    met: untimed.length === 0 && seen.panels.length > 0,
  });
  const off = seen.panels.flatMap((panel) => offsets(panel, report)).map((each) => each.off);
  claim(`${name}: pixels from a marker to its values in report.json, at most`, {
    value: Math.max(...off),
    bound: mostOff,
    n: off.length,
    met: off.length > 0 && Math.max(...off) <= mostOff,
  });
}
