// A report in Chromium, as a reader has it before them: how wide it is, what is cut, and where markers stand.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { findBrowser } from "../../../dist/engines/find-browser.js";

/** Opens a browser for as long as `use` takes. */
export async function withBrowser(use) {
  const executablePath = await findBrowser();
  if (executablePath === null) throw new Error("There is no Chromium here.");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** A report.html on a screen of so many CSS pixels across; every request for something else fails the page. */
export async function openReport(browser, file, width) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  await page.setContent(readFileSync(file, "utf8"), { waitUntil: "load" });
  return page;
}

/** What a reader would see of it. */
export const lookAt = (page) =>
  page.evaluate(() => {
    const name = (element) =>
      `${element.localName}.${String(element.getAttribute("class") ?? "")} ${element.textContent.trim().slice(0, 40)}`;
    const all = [...document.querySelectorAll("main *")].filter(
      (element) => element.getBoundingClientRect().width > 0,
    );
    const outside = all.filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return !element.closest(".scroll") && (left < -0.5 || right > innerWidth + 0.5);
    });
    const isCut = (element) =>
      ["hidden", "clip"].includes(getComputedStyle(element).overflowX) &&
      element.namespaceURI.endsWith("xhtml") &&
      element.scrollWidth > element.clientWidth + 1;
    const clipped = [...document.querySelectorAll("svg.panel text, svg.chart text")].filter(
      (text) => {
        const { x, y, width, height } = text.getBBox();
        const { viewBox } = text.ownerSVGElement;
        return (
          x < -0.5 ||
          y < -0.5 ||
          x + width > viewBox.baseVal.width + 0.5 ||
          y + height > viewBox.baseVal.height + 0.5
        );
      },
    );
    const top = (element) => element?.getBoundingClientRect().top ?? null;
    const number = (element, attribute) => Number(element.getAttribute(attribute));
    const headings = [...document.querySelectorAll("h2")];
    return {
      tooWide: document.documentElement.scrollWidth - innerWidth,
      cut: [...outside, ...all.filter(isCut), ...clipped].map(name),
      cards: Math.max(...[...document.querySelectorAll(".card")].map((card) => top(card))),
      checks: top(headings.find(({ textContent }) => textContent === "Checks")),
      scrolls: [...document.querySelectorAll(".scroll")].filter(
        (element) => element.scrollWidth > element.clientWidth + 1,
      ).length,
      panels: [...document.querySelectorAll("svg.panel")].map((svg) => ({
        split: svg.closest("[data-split]").dataset.split,
        target: svg.closest("[data-target]").dataset.target,
        across: svg.dataset.across,
        columns: [...svg.querySelectorAll("text.column")].map((tick) => [
          Number(tick.dataset.value),
          number(tick, "x"),
        ]),
        rows: [...svg.querySelectorAll("line.grid, line.zero")].map((tick) => [
          Number(tick.dataset.value),
          number(tick, "y1"),
        ]),
        points: [...svg.querySelectorAll("g.point")].map((point) => {
          const marker = point.querySelector(".marker");
          const isCircle = marker.localName === "circle";
          return {
            name: point.dataset.name,
            x: isCircle ? number(marker, "cx") : number(marker, "x") + number(marker, "width") / 2,
            y: isCircle ? number(marker, "cy") : number(marker, "y") + number(marker, "height") / 2,
          };
        }),
      })),
    };
  });

/** Where the report itself says that the markers of a panel belong, by its ticks; how far off each is, in pixels. */
export function offsets({ split, target, across, columns, rows, points }, report) {
  const variants = report.variants.filter((each) => each.target === target);
  const rowOf = (name) => {
    if (name === "float model")
      return {
        size: variants[0].baseline.sizeBytes.brotli,
        latency: 1,
        drop: rows.length === 0 ? null : 0,
      };
    const candidate = report.candidates.find((one) => one.target === target && one.name === name);
    const measured =
      split === "test"
        ? variants.find((one) => one.name === name)
        : candidate.verdict === "chosen"
          ? candidate.searched
          : candidate.measurement;
    return {
      size: measured.sizeBytes.brotli,
      latency: measured.latencyMs.ratio,
      drop: measured.accuracy?.drop ?? null,
    };
  };
  const at = (ticks, value) => {
    const [[from, start], [to, end]] = [ticks[0], ticks.at(-1)];
    return start + ((value - from) / (to - from)) * (end - start);
  };
  return points.map(({ name, x, y }) => {
    const wanted = rowOf(name);
    const dx = x - at(columns, wanted[across]);
    // What was not measured stands below the lowest drop, where no number is.
    const dy = wanted.drop === null ? 0 : y - at(rows, wanted.drop);
    return { name, off: Math.hypot(dx, dy) };
  });
}
