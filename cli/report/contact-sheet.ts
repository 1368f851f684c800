import {
  likeliest,
  shownPixels,
  type AnsweredQuery,
  type Belief,
  type ClassShare,
} from "../../src/activemixup/index.js";
import { bytesPerImage } from "../../src/data/index.js";
import { formatCount, rounded } from "./format.js";
import { html, type Content, type Markup } from "./html.js";
import { evenly, pictureOf, pixelsOf, type Picture } from "./pictures.js";
import { byRound, className, type RunImages, type RunRecord } from "./record.js";

/** Images of a round that are shown, and of all rounds together. */
const [OF_A_ROUND, OF_ALL] = [24, 240];
/** Pixels a side: what the teacher saw, and what it was made of. */
const [SHOWN_SIDE, PARENT_SIDE] = [64, 32];

/** Of each round some of what was asked about, the last round's opened. */
export function contactSheets(record: RunRecord): Markup {
  const { images } = record;
  if (typeof images === "string") return html`<p>No pictures: ${images}.</p> `;
  const rounds = byRound(record.answers);
  const most = Math.max(6, Math.min(OF_A_ROUND, Math.floor(OF_ALL / rounds.size)));
  const last = Math.max(...rounds.keys());
  return html`${[...rounds].map(([round, answers]) => sheet(record, images, round, sample(answers, most), answers.length, round === last))}`;
}

/** Evenly from the least to the most confident: all of a round is what the student was unsure of. */
function sample(answers: readonly AnsweredQuery[], most: number): AnsweredQuery[] {
  const ranked = [...answers].sort((a, b) => (a.before?.confidence ?? 1) - (b.before?.confidence ?? 1));
  return evenly(ranked.length, most).map((place) => ranked[place]);
}

function sheet(
  record: RunRecord,
  images: RunImages,
  round: number,
  answers: readonly AnsweredQuery[],
  count: number,
  open: boolean,
): Markup {
  const pixels = shownPixels(images.real, answers, record.config.method);
  const size = bytesPerImage(images.real);
  const cards = answers.map((answer, index) =>
    card(record, images, answer, pictureOf(images.real, pixels.subarray(index * size, (index + 1) * size), SHOWN_SIDE)),
  );
  const what = round === 0 ? "real images" : "candidates that it chose";
  const which =
    answers.length === count
      ? `all ${formatCount(count)}`
      : `${answers.length} of ${formatCount(count)}` +
        (answers[0].before ? ", evenly from the one it was least confident in to the most" : ", evenly spaced");
  return html`<details class="round" ${open ? html` open` : undefined}>
    <summary>Round ${round}: ${what}, ${which}</summary>
    <ul class="sheet">
      ${cards}
    </ul>
  </details> `;
}

function card(record: RunRecord, images: RunImages, answer: AnsweredQuery, picture: Picture): Markup {
  const name = (label: number) => className(record, label);
  const teacher = likeliest(answer.label);
  const says = (belief: Belief | undefined) => belief && opinion(belief, teacher[0], name);
  return html`<li>
    ${image(picture, "shown", `${description(record, answer)}, as the teacher saw it`)}
    ${answer.candidate === undefined ? undefined : html`<p class="made">${recipe(record, images, answer)}</p>`}
    ${opinions([
      ["teacher", shares(teacher, name)],
      ["before", says(answer.before)],
      ["after", says(answer.after)],
    ])}
  </li> `;
}

/** Who says what, those left out that say nothing. */
export function opinions(rows: readonly (readonly [who: string, what: Content])[]): Markup {
  const said = rows.filter(([, what]) => what !== undefined);
  return html`<dl class="says">
    ${said.map(
      ([who, what]) =>
        html`<dt class="soft">${who}</dt>
          <dd>${what}</dd>`,
    )}
  </dl> `;
}

/** `7 62%, 9 30%`, those of less than half a percent left out. */
export function shares(classes: readonly ClassShare[], name: (label: number) => string): Markup {
  const shown = classes.filter(({ share }, index) => index === 0 || share >= 0.005);
  const end = (index: number) => (index < shown.length - 1 ? ", " : "");
  return html`${shown.map(({ label, share }, index) => html`<span><b>${name(label)}</b> ${rounded(share)}${end(index)}</span> `)}`;
}

function opinion({ label, confidence }: Belief, teacher: ClassShare, name: (label: number) => string): Markup {
  const same = label === teacher.label;
  return html`<b>${name(label)}</b> ${rounded(confidence)}
    <span class="${same ? "yes" : "no"}" role="img" aria-label="${same ? "as the teacher" : "not as the teacher"}"
      >${same ? "✓" : "✗"}</span
    >`;
}

export function image({ source, width, height }: Picture, kind: string, alt: string): Markup {
  return html`<img class="${kind}" src="${source}" width="${width}" height="${height}" alt="${alt}" />`;
}

/** The number of a real image in the user's data set. */
function numberOf({ config }: RunRecord, real: number): number {
  return config.chosen[real];
}

function description(record: RunRecord, { candidate, kind = "mix", first, second }: AnsweredQuery): string {
  const [one, other] = [first, second].map((real) => numberOf(record, real));
  if (candidate === undefined) return `image ${one}`;
  if (kind === "warp") return `image ${one}, warped`;
  return `${kind === "mix" ? "blend" : "cutmix"} of images ${one} and ${other}`;
}

/** How a candidate was made: what share of which images. */
function recipe(record: RunRecord, images: RunImages, { kind, first, second, lambda }: AnsweredQuery): Content {
  const parent = (real: number) =>
    image(
      pictureOf(images.real, pixelsOf(images.real, real), PARENT_SIDE),
      "parent",
      `image ${numberOf(record, real)}`,
    );
  if (kind === "warp") return html`<b>warped</b> <span>${parent(first)}</span>`;
  const name = { plain: "blend", mix: "blend of warped", cutmix: "cutmix" }[kind ?? "plain"];
  const [one, other] = [lambda, 1 - lambda].map((share) => share.toFixed(2));
  return html`<b>${name}</b> <span>${one} ×${parent(first)}+ ${other} ×${parent(second)}</span>`;
}
