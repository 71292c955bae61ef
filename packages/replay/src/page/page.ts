// A whole page in one file: its style within, nothing loaded from outside, no script. Light and dark as the
// reader's system says, and fit for paper.

import type { Column } from '../report/sections.ts'
import { Markup as Made, type Markup, markup, type Piece } from './markup.ts'

const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--band:#f6f8fa;
--accent:#0b57d0;--allow:#8fa3b8;--review:#b35900;--deny:#b3261e;--good:#1a7f37;--mark:#fff4e5}
@media (prefers-color-scheme:dark){:root{--paper:#0f1317;--ink:#e6edf3;--soft:#9da7b1;--line:#303841;
--band:#161b21;--accent:#8ab4f8;--allow:#5d6f82;--review:#f0a050;--deny:#ff8a80;--good:#6fd08c;--mark:#2b2113}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
header{border-bottom:1px solid var(--line);margin-bottom:20px;padding-bottom:12px}
h1{font-size:22px;margin:0 0 4px}
h2{font-size:16px;margin:32px 0 8px}
p{margin:4px 0}
.soft{color:var(--soft)}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;overflow-wrap:anywhere}
.limits{margin:24px 0;background:var(--band);border-left:4px solid var(--soft);padding:10px 16px}
.limits h2{margin:0 0 4px}
.limits ul{margin:0;padding-left:18px}
.deed{border:1px solid var(--line);border-left:6px solid var(--review);background:var(--mark);padding:10px 16px;margin:8px 0}
.deed.passed{border-left-color:var(--deny)}
.deed.denied{border-left-color:var(--deny)}
.deed strong{display:block}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:10px;margin:16px 0;padding:0}
.figures div{border:1px solid var(--line);padding:10px 14px}
.figures dt{color:var(--soft);font-size:13px}
.figures dd{margin:0;font-size:24px;font-variant-numeric:tabular-nums}
.figures .main{border-color:var(--accent);border-width:2px}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 10px 5px 0;border-bottom:1px solid var(--line);vertical-align:top;height:32px}
th{color:var(--soft);font-weight:600;font-size:13px;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap;padding-left:10px}
td.text{white-space:nowrap}
td.why{min-width:220px}
td.code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px;overflow-wrap:anywhere;min-width:180px}
td.code:first-child{width:99%}
figure{margin:8px 0 0}
figcaption{color:var(--soft);font-size:13px}
svg{display:block;width:100%;min-width:620px;height:auto}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg .grid{stroke:var(--line)}
svg .allow{fill:var(--allow)}svg .review{fill:var(--review)}svg .deny{fill:var(--deny)}svg .mark{fill:var(--ink)}
.answer{margin:16px 0;border-top:1px solid var(--line)}
.answer dt{font-weight:600;margin-top:10px}
.answer dd{margin:0 0 10px;padding-bottom:10px;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.claim{font-style:italic;color:var(--soft);overflow-wrap:anywhere}
blockquote.claim{margin:4px 0 8px;padding-left:12px;border-left:3px solid var(--soft)}
.proof{color:var(--soft);font-size:13px;white-space:nowrap}
pre{background:var(--band);padding:10px 14px;overflow-x:auto;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
footer{margin-top:40px;border-top:1px solid var(--line);padding-top:10px;color:var(--soft);font-size:13px}
@media (max-width:560px){main{padding:16px 12px 40px}h1{font-size:19px}.figures{grid-template-columns:1fr 1fr}.figures dd{font-size:20px}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--band:#fff;--mark:#fff;
--accent:#000;--allow:#bbb;--review:#777;--deny:#000}
body{font-size:12px}code,.mono,td.code{font-size:10.5px}
main{max-width:none;padding:0}.wide{overflow:visible}td,th{height:auto;padding:3px 6px 3px 0}
td.text{white-space:normal}td.code,td.why{min-width:0}svg{min-width:0}
tr,figure,.deed,.figures{break-inside:avoid}h2{break-after:avoid}}
`

/** The text of the file. `style-src` is the one thing that is let in: the style above. */
export function page(title: string, body: Piece): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Made(STYLE)}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text
}

/** A table; empty rows make no table. */
export function table(columns: readonly Column[], rows: readonly (readonly Piece[])[]): Markup {
  if (rows.length === 0) return new Made('')
  const classOf = ({ is }: Column) => is ?? 'text'
  const head = columns.map(
    (column) => markup`<th class="${classOf(column)}" scope="col">${column.name}</th>`,
  )
  const lines = rows.map((row) => {
    const cells = columns.map(
      (column, at) => markup`<td class="${classOf(column)}">${row[at] ?? ''}</td>`,
    )
    return markup`<tr>${cells}</tr>\n`
  })
  return markup`<div class="wide"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${lines}</tbody></table></div>`
}
