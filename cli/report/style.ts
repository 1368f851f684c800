/** How reports look: light and dark as the reader's system is, from 400 pixels of width upwards, no scripts, no fonts. */
export const style = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#59636e;--ground:#fff;--card:#f5f7f9;--line:#d5dbe1;--same:#2f7fd1;
--other:#d9730d;--good:#1a7f42;--warn:#9a5b00}
@media (prefers-color-scheme:dark){:root{--ink:#dfe5ec;--soft:#9aa5b1;--ground:#14181d;--card:#1d2329;--line:#343c45;
--same:#4c9bea;--other:#f0913a;--good:#5fc487;--warn:#e5a84b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1320px;padding:20px clamp(12px,3vw,40px) 48px;background:var(--ground);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:1.6rem;line-height:1.25;margin:.2em 0}
h2{font-size:1.2rem;margin:2.2em 0 .6em;padding-bottom:.25em;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.4em 0 .4em}
p{margin:.5em 0;max-width:76ch}
a{color:inherit}
.soft,figcaption,dt{color:var(--soft)}
.state{display:inline-block;margin:.4em 0;padding:.2em .8em;border:1px solid currentColor;border-radius:1em;font-weight:600}
.state.finished{color:var(--good)}.state.open{color:var(--warn)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(148px,1fr));gap:10px;margin:1em 0;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.6em .9em}
.tiles strong{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
.tiles small{display:block;color:var(--soft)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,300px),1fr));gap:2px 28px;margin:.6em 0}
.facts div{display:flex;gap:.8em;justify-content:space-between;border-bottom:1px solid var(--line);padding:.2em 0}
.facts dt{flex:none}.facts dd{margin:0;text-align:right;min-width:0;overflow-wrap:anywhere}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,352px),1fr));column-gap:26px}
figure{margin:.6em 0}
.chart{display:grid;grid-row:span 2;grid-template-rows:subgrid;margin:0 0 18px}
.chart svg{display:block;width:100%;max-width:600px;height:auto;align-self:end;color:var(--ink)}
figcaption{font-size:.88rem;margin-top:.45em;max-width:90ch}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.3em .6em;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
thead th{border-bottom:2px solid var(--line);vertical-align:bottom;white-space:normal;font-weight:600;line-height:1.25}
th:first-child,td:first-child{text-align:left;padding-left:0}
th[scope=row]{font-weight:500}
.table .long{white-space:normal;min-width:min(24ch,45vw);max-width:min(60ch,55vw)}
.matrix th{max-width:9em;white-space:normal}
details{margin:.6em 0}
summary{cursor:pointer;font-weight:600;padding:.3em 0}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(186px,1fr));gap:10px;margin:.6em 0;padding:0;list-style:none}
.sheet li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px;font-size:.82rem;line-height:1.4}
.sheet img,.made img{image-rendering:pixelated}
.sheet .shown{display:block;width:84px;height:auto;margin-bottom:6px;border:1px solid var(--line)}
.made{margin:0 0 .4em}
.made b{display:block;font-weight:500;color:var(--soft)}
.made span{white-space:nowrap;font-size:.76rem}
.made img{width:28px;margin:0 .2em;vertical-align:middle;height:auto;border:1px solid var(--line)}
.says{display:grid;grid-template-columns:auto 1fr;gap:0 .6em;margin:0}
.says b{font-weight:600;unicode-bidi:isolate}.says span{display:inline-block;max-width:100%}.says dt{grid-column:1}.says dd{grid-column:2;margin:0;min-width:0;overflow-wrap:anywhere}
.yes{color:var(--good)}.no{color:var(--warn)}
.matrix table{border-collapse:separate;border-spacing:2px}
.matrix th,.matrix td{border:0;padding:.25em .3em;text-align:center;min-width:2.4em;font-size:.82rem}
.matrix thead th{font-weight:500}
.matrix th:first-child{text-align:right;padding-right:.6em}
.matrix td{border-radius:3px;background:color-mix(in srgb,var(--other) calc(var(--share)*50%),var(--card))}
.matrix td.same{background:color-mix(in srgb,var(--same) calc(var(--share)*50%),var(--card))}
footer{margin-top:3em;color:var(--soft);font-size:.88rem}
@media (max-width:520px){.sheet{grid-template-columns:repeat(2,minmax(0,1fr))}
th,td{padding:.3em .45em}.table thead th{white-space:nowrap}.matrix th,.matrix td{min-width:2.05em;padding:.3em .1em;font-size:.75rem}.matrix table{border-spacing:1px}}
@media print{details>*{display:block}}
`;
