"""The colours of pages and charts, by day and by night. Every text colour is legible on `--paper` and on `--card`."""

PALETTE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#5b6570;--rule:#d8dee4;--card:#f6f8fa;
--PASS:#1a7f37;--FAIL:#cf222e;--UNKNOWN:#9a6700;--s0:#0969da;--s1:#bc4c00;--s2:#1a7f37;--s3:#8250df;--s4:#bf3989;
--s5:#9a6700;--s6:#1b7c83;--s7:#57606a}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--faint:#9198a1;--rule:#30363d;--card:#161b22;
--PASS:#3fb950;--FAIL:#f85149;--UNKNOWN:#d29922;--s0:#58a6ff;--s1:#f0883e;--s2:#3fb950;--s3:#bc8cff;--s4:#f778ba;
--s5:#d29922;--s6:#39c5cf;--s7:#9198a1}}
.PASS{color:var(--PASS)}.FAIL{color:var(--FAIL)}.UNKNOWN{color:var(--UNKNOWN)}
"""

CHARTS = """
svg{width:100%;height:auto;display:block;margin:.4rem 0}
svg text{font:11px system-ui,sans-serif;fill:var(--faint)}svg .label{fill:var(--ink)}
.grid{stroke:var(--rule);stroke-width:1}.limit{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3}
.zero{stroke:var(--faint);stroke-width:1}
.line{fill:none;stroke-width:1.6}.interval{stroke:currentColor;stroke-width:3;opacity:.55}.value{fill:currentColor}
.s0{stroke:var(--s0)}.s1{stroke:var(--s1)}.s2{stroke:var(--s2)}.s3{stroke:var(--s3)}
.s4{stroke:var(--s4)}.s5{stroke:var(--s5)}.s6{stroke:var(--s6)}.s7{stroke:var(--s7)}
"""
