// What the tests of reports look at: each function runs inside the browser, so it stands by itself.

/* global document, getComputedStyle, innerWidth */

/** Whether the page is whole: its width, what sticks out, what is missing. */
export function wholeness() {
  const all = (query) => [...document.querySelectorAll(query)];
  const boxOf = (one) => {
    const { left, right, top, bottom } = one.getBoundingClientRect();
    return { left, right, top, bottom, text: one.textContent };
  };
  const holds = (a, b) => a.left <= b.left && a.top <= b.top && a.right >= b.right && a.bottom >= b.bottom;
  const [red] = /\d+/.exec(getComputedStyle(document.body).backgroundColor).map(Number);
  return {
    width: document.documentElement.scrollWidth,
    // What sticks out of the page, unless it lies in a part that is scrolled by itself.
    out: all("body *")
      .filter((one) => !one.closest(".scroll table") && one.getBoundingClientRect().right > innerWidth)
      .map((one) => one.outerHTML.slice(0, 80)),
    // What is written in a chart and sticks out of it, or lies on what its vertical axis is.
    cut: all("figure.chart svg").flatMap((svg) => {
      const [whole, name] = [svg, svg.querySelector("[aria-label='y-axis label'] text")].map(boxOf);
      const ticks = [...svg.querySelectorAll("[aria-label='y-axis tick label'] text")];
      const out = [...svg.querySelectorAll("text")].map(boxOf).filter((box) => !holds(whole, box));
      return [...out, ...ticks.map(boxOf).filter(({ left }) => left < name.right)].map(({ text }) => text);
    }),
    scripts: document.scripts.length,
    title: document.title,
    broken: [...document.images].filter((image) => image.naturalWidth === 0 || image.alt === "").length,
    charts: all("figure.chart svg[aria-label]").length,
    withoutCaption: all("figure").filter((figure) => !figure.querySelector("figcaption")).length,
    withoutHead: all("table").filter((table) => !table.querySelector("thead th[scope=col]")).length,
    dark: red < 128,
  };
}

/** The lines of the page's charts, by what is on their vertical axis: their names, and how many points they have. */
export function seriesOfCharts() {
  const charts = [...document.querySelectorAll("figure.chart svg")].map((svg) => {
    const lines = [...svg.querySelectorAll("g[aria-label=line]")].map((line) => {
      const points = line.querySelector("path")?.getAttribute("d")?.match(/[ML]/g)?.length ?? 0;
      return [line.getAttribute("aria-description"), points];
    });
    return [svg.querySelector("g[aria-label='y-axis label']").textContent, Object.fromEntries(lines)];
  });
  return Object.fromEntries(charts);
}

/** The contact sheets, one a round. */
export function contactSheets() {
  return [...document.querySelectorAll("details.round")].map((round) => ({
    summary: round.querySelector("summary").textContent,
    open: round.open,
    shown: round.querySelectorAll("img.shown").length,
    parents: round.querySelectorAll(".made img.parent").length,
    rows: [...round.querySelectorAll("li")].map((card) => card.querySelectorAll(".says dt").length),
    cards: [...round.querySelectorAll("li")].map((card) => {
      const texts = [...card.querySelectorAll(".made, .says dd")].map((part) => part.textContent);
      return [card.querySelector(".shown").alt, ...texts].map((text) => text.replaceAll(/\s+/g, " ").trim());
    }),
    kinds: [...new Set([...round.querySelectorAll(".made b")].map((kind) => kind.textContent))].sort(),
  }));
}

/** The confusion, and how many images are shown on which student and teacher differ. */
export function confusion() {
  const sum = (query) =>
    [...document.querySelectorAll(query)].reduce((total, cell) => total + Number(cell.textContent), 0);
  return {
    cells: sum(".matrix tbody td"),
    same: sum(".matrix td.same"),
    heads: document.querySelectorAll(".matrix thead th").length,
    apart: document.querySelectorAll("#differences img.shown").length,
  };
}
