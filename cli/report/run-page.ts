import type { ChartLibraries } from "../charts/libraries.js";
import { runCharts } from "./charts.js";
import { confusionPart } from "./confusion.js";
import { contactSheets } from "./contact-sheet.js";
import { differencesPart } from "./differences.js";
import { html } from "./html.js";
import { costPart, statePart, tiles } from "./overview.js";
import { page } from "./page.js";
import type { RunRecord } from "./record.js";
import { roundsTable } from "./rounds.js";

/** The report of one run: a page. */
export function runPage(libraries: ChartLibraries, record: RunRecord, written: Date): string {
  const { summary, folder } = record;
  const title = `${summary.student.architecture} taught by ${summary.teachers.map(({ name }) => titleOf(name)).join(" and ")}`;
  const body = html`<header>
      <p class="soft">Report of the run in ${folder}</p>
      <h1>${title}</h1>
      ${statePart(record, written)}${tiles(record)}
    </header>
    <main>
      <section id="course">
        <h2>What it reached</h2>
        ${runCharts(libraries, record)}
      </section>
      <section id="rounds">
        <h2>Round by round</h2>
        ${roundsTable(summary)}
      </section>
      <section id="cost">
        <h2>What was asked and what it cost</h2>
        ${costPart(record)}
      </section>
      <section id="chosen">
        <h2>What the student found hard</h2>
        <p>
          What was asked about, as the teacher saw it; what it was made of; the teacher's likeliest classes; and the
          student's class with its confidence, before it was trained on the answer and after. ✓: the teacher's class; ✗:
          another.
        </p>
        ${contactSheets(record)}
      </section>
      <section id="confusion">
        <h2>Student against teacher</h2>
        ${confusionPart(record)}
      </section>
      <section id="differences">
        <h2>Where they differ most</h2>
        ${differencesPart(record)}
      </section>
    </main> `;
  return page(title, body, written);
}

/** A teacher's name without the digest of its file. */
function titleOf(name: string): string {
  return name.replace(/ sha256:[0-9a-f]+$/, "");
}
