import type { Difference } from "../../src/activemixup/index.js";
import type { ImageSet } from "../../src/data/index.js";
import { image, opinions, shares } from "./contact-sheet.js";
import { formatCount } from "./format.js";
import { html, type Markup } from "./html.js";
import { pictureOf, pixelsOf } from "./pictures.js";
import { className, whyNotCompared, type RunRecord } from "./record.js";

const SIDE = 64;

/** The images, held out or of the test set, on which student and teacher differ most. */
export function differencesPart(record: RunRecord): Markup {
  const { comparison, images, config } = record;
  if (!comparison) return html`<p>There is nothing to show: ${whyNotCompared(record)}.</p> `;
  if (typeof images === "string") return html`<p>No pictures: ${images}.</p> `;
  const { on, against, differing } = comparison;
  const set = on === "holdout" ? images.holdout : images.test;
  if (!set) return html`<p>Their images are not there.</p> `;
  const numberOf = (place: number) => (on === "holdout" ? config.heldOut[place] : place);
  const who = against === "labels" ? "label" : "teacher";
  return html`<p>
      Of ${formatCount(comparison.images)} ${on === "holdout" ? "held-out" : "test"} images the ${differing.length} on
      which the student's probabilities are farthest from the ${who}'s, the farthest first.
    </p>
    <ul class="sheet">
      ${differing.map((difference) => card(record, set, difference, `${on === "holdout" ? "held-out" : "test"} image ${numberOf(difference.image)}`, who))}
    </ul> `;
}

function card(record: RunRecord, set: ImageSet, difference: Difference, alt: string, who: string): Markup {
  const name = (label: number) => className(record, label);
  return html`<li>
    ${image(pictureOf(set, pixelsOf(set, difference.image), SIDE), "shown", alt)}
    ${opinions([
      [who, who === "label" ? html`<b>${name(difference.expected[0].label)}</b>` : shares(difference.expected, name)],
      ["student", shares(difference.student, name)],
      ["apart", `${difference.divergence.toFixed(2)} nats`],
    ])}
  </li> `;
}
