import { escapeHtml } from "../escape.js";

/** HTML that is whole and safe to put into a page. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What stands in a template: text, which is escaped; markup, as it is; nothing; or several of these. */
export type Content = Markup | string | number | undefined | readonly Content[];

function textOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return escapeHtml(String(content));
}

/** Markup by a template: all that is put in is escaped, unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  return new Markup(strings.map((part, index) => part + textOf(contents[index])).join(""));
}

/** Characters from which on the name of a row may break into lines. */
const LONG = 28;

/** A table with its caption: the first column names the row. */
export function htmlTable(caption: string, head: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  const cells = (row: readonly Content[]) =>
    row.map((cell, column) => (column === 0 ? rowHead(cell) : html`<td>${cell}</td>`));
  const headCells = head.map((name) => html`<th scope="col">${name}</th>`);
  return scrolled(
    "table",
    caption,
    html`<thead>
        <tr>
          ${headCells}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr> `,
        )}
      </tbody>`,
  );
}

function rowHead(name: Content): Markup {
  const long = typeof name === "string" && name.length > LONG;
  return long ? html`<th scope="row" class="long">${name}</th>` : html`<th scope="row">${name}</th>`;
}

/** A table by its rows. Wide ones are scrolled by themselves, and their captions stay where they can be read. */
export function scrolled(kind: "table" | "matrix", caption: string, rows: Markup): Markup {
  return html`<figure class="${kind}">
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        ${rows}
      </table>
    </div>
    <figcaption>${caption}</figcaption>
  </figure> `;
}

/** A list of names with what each is. */
export function htmlFacts(facts: readonly (readonly [name: string, value: Content])[]): Markup {
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl> `;
}

/** A picture that stands in the page as SVG, with its caption. */
export function htmlFigure(svg: string, caption: Content): Markup {
  return html`<figure class="chart">
    ${new Markup(svg)}
    <figcaption>${caption}</figcaption>
  </figure> `;
}
