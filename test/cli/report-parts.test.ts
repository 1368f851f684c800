import { describe, expect, it } from "vitest";
import { escapeHtml, html, htmlTable } from "../../cli/report/html.js";
import { evenly, pictureOf } from "../../cli/report/pictures.js";
import { decodePng } from "../../src/data/png.node.js";

describe("HTML", () => {
  it("escapes all that is put into it, and markup no further time", () => {
    const inner = html`<b title="${`"'`}">${"<i> & co"}</b>`;
    expect(html`<p>${inner}${3}${undefined}${["<", inner]}</p>`.text).toBe(
      `<p><b title="&quot;&#39;">&lt;i&gt; &amp; co</b>3&lt;<b title="&quot;&#39;">&lt;i&gt; &amp; co</b></p>`,
    );
  });

  it("shows control characters, which HTML has not, as such", () => {
    expect(escapeHtml("a\u0000b\u001bc\nd\te")).toBe("a\ufffdb\ufffdc\nd\te");
  });

  it("has tables whose first column heads the rows", () => {
    const text = htmlTable("what", ["a", "b"], [["1", "2"]]).text.replaceAll(/>\s+</g, "><");
    expect(text).toContain(`<thead><tr><th scope="col">a</th><th scope="col">b</th></tr></thead>`);
    expect(text).toContain(`<tr><th scope="row">1</th><td>2</td></tr>`);
  });
});

describe("pictures", () => {
  const decode = (source: string) => decodePng(Uint8Array.from(Buffer.from(source.split(",")[1], "base64")), "picture");

  it("are PNG files of the image's own pixels where it is small", () => {
    const pixels = Uint8Array.from({ length: 3 * 2 * 4 }, (_, index) => 10 * index);
    const picture = pictureOf({ channels: 3, height: 2, width: 4 }, pixels, 4);
    expect(picture).toMatchObject({ width: 4, height: 2 });
    expect(picture.source).toMatch(/^data:image\/png;base64,/);
    expect(decode(picture.source)).toEqual({ channels: 3, height: 2, width: 4, pixels });
  });

  it("are shrunk where it is large, each pixel the mean of a square, smaller at the edges", () => {
    const pixels = Uint8Array.of(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140);
    const picture = pictureOf({ channels: 1, height: 3, width: 5 }, pixels, 3);
    expect(picture).toMatchObject({ width: 3, height: 2 });
    expect([...decode(picture.source).pixels]).toEqual([30, 50, 65, 105, 125, 140]);
  });

  it("are chosen evenly, the first and the last among them", () => {
    expect(evenly(3, 5)).toEqual([0, 1, 2]);
    expect(evenly(101, 5)).toEqual([0, 25, 50, 75, 100]);
    expect(evenly(10, 1)).toEqual([0]);
    expect(new Set(evenly(25, 24)).size).toBe(24);
  });
});
