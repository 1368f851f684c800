import { likeliest, type Comparison } from "../../src/activemixup/index.js";
import { formatCount, percent } from "./format.js";
import { html, htmlTable, scrolled, type Markup } from "./html.js";
import { className, whyNotCompared, type RunRecord } from "./record.js";

/** Most classes for which each pair has a cell. */
const MATRIX = 20;
/** Pairs of classes that are listed. */
const LISTED = 12;

type Counts = Comparison["confusion"];

/** Which classes the student gives for which: on images that it was not trained on, or else on those it chose. */
export function confusionPart(record: RunRecord): Markup {
  const { comparison, config } = record;
  const counts = comparison?.confusion ?? ofChosen(record);
  if (counts.length === 0)
    return html`<p>There is nothing to compare: ${whyNotCompared(record)}, and none chosen.</p> `;
  const who = comparison?.against === "labels" ? "label" : "teacher";
  const same = sum(counts.filter(({ expected, student }) => expected === student));
  const all = sum(counts);
  const matrix = config.network.classes <= MATRIX ? matrixOf(record, counts, who) : undefined;
  return html`<p>
      ${where(record)}: on ${formatCount(same)} of ${formatCount(all)}, ${percent(same / all)}, the student gives the
      class of the ${who}.
    </p>
    ${matrix}${listOf(record, counts, who)}`;
}

/** Which images are compared, in words. */
function where(record: RunRecord): string {
  const { comparison, summary, config } = record;
  if (!comparison) {
    return `On the candidates that it chose, after it was trained on them, since ${whyNotCompared(record)}`;
  }
  const after = `after round ${comparison.round}`;
  if (comparison.on === "holdout") {
    return `On the ${formatCount(comparison.images)} held-out images, which the student was not trained on, ${after}`;
  }
  const unasked =
    comparison.against === "labels" ? " against their labels, since the teacher was not asked about them" : "";
  return `On ${formatCount(comparison.images)} images of ${summary.evaluation ?? config.options.test}${unasked}, ${after}`;
}

function ofChosen({ answers }: RunRecord): Counts {
  const counts = new Map<string, Counts[number]>();
  for (const { label, after } of answers) {
    if (!after) continue;
    const [expected, student] = [likeliest(label)[0].label, after.label];
    const before = counts.get(`${expected} ${student}`)?.images ?? 0;
    counts.set(`${expected} ${student}`, { expected, student, images: before + 1 });
  }
  return [...counts.values()];
}

function sum(counts: Counts): number {
  return counts.reduce((total, { images }) => total + images, 0);
}

function matrixOf(record: RunRecord, counts: Counts, who: string): Markup {
  const classes = Array.from({ length: record.config.network.classes }, (_, label) => label);
  const name = (label: number) => className(record, label);
  const caption = `Rows: the class of the ${who}; columns: the student's. A cell's shade is its share of the row.`;
  const rows = classes.map((expected) => {
    const own = counts.filter((count) => count.expected === expected);
    const all = sum(own);
    const cells = classes.map((student) => {
      const images = own.find((count) => count.student === student)?.images ?? 0;
      const share = all === 0 ? 0 : images / all;
      return html`<td${expected === student ? html` class="same"` : undefined} style="--share:${share.toFixed(3)}">${images || ""}</td>`;
    });
    return html`<tr>
      <th scope="row">${name(expected)}</th>
      ${cells}
    </tr> `;
  });
  const head = classes.map((label) => html`<th scope="col">${name(label)}</th>`);
  return scrolled(
    "matrix",
    caption,
    html`<thead>
        <tr>
          <td></td>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>`,
  );
}

function listOf(record: RunRecord, counts: Counts, who: string): Markup {
  const name = (label: number) => className(record, label);
  const wrong = counts
    .filter(({ expected, student }) => expected !== student)
    .sort((a, b) => b.images - a.images)
    .slice(0, LISTED);
  if (wrong.length === 0) return html`<p>They differ on none.</p> `;
  const rows = wrong.map(({ expected, student, images }) => {
    const ofClass = sum(counts.filter((count) => count.expected === expected));
    return [name(expected), name(student), formatCount(images), percent(images / ofClass)];
  });
  const head = [who, "student", "images", `of the ${who}'s`];
  return html`<h3>Confused most often</h3>
    ${htmlTable("The most frequent differences, and their share of the images of that class.", head, rows)}`;
}
