// How the page looks: system fonts, one accent, colours by severity that hold AA contrast in both themes and
// never stand alone, and a print form in which all is open.

export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--raised:#f6f8fa;
--accent:#0550ae;--critical:#a40e26;--high:#953800;--medium:#7d4e00;--low:#0550ae;--note:#57606a}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--soft:#9ea7b3;--line:#30363d;
--raised:#161b22;--accent:#79c0ff;--critical:#ff8182;--high:#ffa657;--medium:#e3b341;--low:#79c0ff;--note:#9ea7b3}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1180px;padding:24px 20px 64px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 12px}
header p,.hint,.rule,.evidence{color:var(--soft)}p{margin:6px 0}
code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
a{color:var(--accent)}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin-top:16px}
.tile{flex:1 1 110px;border:1px solid var(--line);border-left:5px solid var(--kind);border-radius:6px;
padding:8px 14px;text-decoration:none;color:var(--ink)}
.tile b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.tile span{color:var(--kind)}
.critical{--kind:var(--critical)}.high{--kind:var(--high)}.medium{--kind:var(--medium)}
.low{--kind:var(--low)}.note{--kind:var(--note)}
.limits{margin-top:20px;border:1px solid var(--line);border-radius:6px;padding:8px 16px;background:var(--raised)}
.limits ul{margin:6px 0;padding-left:20px}.alarm{color:var(--critical)}
.finding{border:1px solid var(--line);border-left:5px solid var(--kind);border-radius:6px;margin:8px 0}
.finding>summary{cursor:pointer;padding:9px 14px;display:grid;grid-template-columns:92px 1fr;gap:2px 12px}
.finding>summary::marker{content:""}
.finding .title{grid-column:2}.mark{color:var(--kind);font-weight:600;white-space:nowrap}
.finding>div{padding:2px 16px 12px 118px}
.fix summary{cursor:pointer;color:var(--soft)}
.agent{border:1px solid var(--accent);color:var(--accent);border-radius:9px;padding:0 7px;font-size:12px}
.environment{border:1px solid var(--line);border-radius:4px;padding:1px 8px;font-size:12px;text-transform:uppercase}
.environment.production{border-color:var(--critical);color:var(--critical);font-weight:600}
.path{padding-left:20px;margin:8px 0}.path li{margin:5px 0}
pre{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:9px 12px;margin:6px 0;
white-space:pre-wrap}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}
svg{max-width:100%;height:auto}svg rect{fill:var(--raised);stroke:var(--line)}
svg .admin rect{stroke:var(--critical);stroke-width:2}svg .agent rect{stroke:var(--accent);stroke-width:2}
svg .reaches rect{stroke:var(--high)}
svg .agent{border:0;padding:0}
svg text{fill:var(--ink);font:12px ui-monospace,SFMono-Regular,Menlo,monospace}
svg .kind{fill:var(--soft);font:11px system-ui,sans-serif}
svg .edge{fill:none;stroke:var(--soft);stroke-width:1.2;opacity:.75}svg .edge.may{stroke-dasharray:4 4}
svg .tip{fill:var(--soft)}
@media (max-width:640px){.finding>summary{grid-template-columns:1fr}.finding .title{grid-column:1}
.finding>div{padding-left:16px}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--raised:#fff;--accent:#0550ae;
--critical:#a40e26;--high:#953800;--medium:#7d4e00;--low:#0550ae;--note:#57606a}
body{max-width:none;padding:0;font-size:12px}code,pre{font-size:10.5px}table{font-size:12px}td,th{padding-right:8px}
td:nth-child(2),td:nth-child(3){white-space:nowrap}.finding>div{padding-left:16px}
details:not([open])>*{display:block}details::details-content{content-visibility:visible;block-size:auto}
.finding,tr,pre{break-inside:avoid}.scroll{overflow:visible}svg{width:100%;height:auto}a{color:inherit}}
`
