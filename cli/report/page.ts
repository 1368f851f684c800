import { version } from "../version.js";
import { html, Markup, type Content } from "./html.js";
import { style } from "./style.js";

/** A whole page, in one file that needs nothing beside it. */
export function page(title: string, body: Content, written: Date): string {
  const { text } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="activemixup ${version}" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"
        />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        ${body}
        <footer>
          <p>Written by activemixup ${version}, <time datetime="${written.toISOString()}">${moment(written)}</time>.</p>
        </footer>
      </body>
    </html> `;
  return text;
}

/** `2026-03-01 14:05 UTC`. */
export function moment(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
