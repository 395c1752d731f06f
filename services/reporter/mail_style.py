"""How the mail looks: what is inline, and what only programs that read style sheets get. Pure."""

from typing import Final

FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Arial,sans-serif;"
MONO: Final = "font-family:Consolas,Menlo,monospace;"
QUIET: Final = "color:#67625C;font-size:13px;line-height:18px;"

STYLE: Final = "".join(
    f"""
body{{-webkit-text-size-adjust:100%;-webkit-print-color-adjust:exact;print-color-adjust:exact}}
.l td{{padding:0 0 0 12px;vertical-align:middle;font-size:14px;line-height:19px;overflow-wrap:anywhere}}
.l td.t,.l td.c{{padding:10px 6px 2px 0}}
.l td.s{{width:30px;min-width:30px;height:38px;padding:0;border:1px solid rgba(128,128,128,.35);border-radius:8px}}
.l td.sl{{border-right:0;border-radius:8px 0 0 8px}}
.l td.sr{{border-left:0;border-radius:0 8px 8px 0}}
.k td.s{{height:18px;border-radius:5px}}
.l .v{{text-align:right;white-space:nowrap;overflow-wrap:normal}}
.l b{{font-weight:600}}
.q{{color:#67625C;font-size:13px}}
.h{{{MONO}font-size:12px}}
.bad{{color:#B3261E}}.ok{{color:#2F6B33}}.mid{{color:#7A5600}}
@media(max-width:480px){{.o{{padding:0!important}}.p{{border-radius:0!important}}.in{{padding:20px 16px!important}}
.k .h{{display:none}}}}
@media(prefers-color-scheme:dark){{.b{{background:#141312!important}}.p{{background:#1F1D1B!important}}
.in{{color:#ECE8E2!important}}.q{{color:#ABA49B!important}}
.btn{{background:#ECE8E2!important}}.btn a{{color:#1F1D1B!important}}
.bad{{color:#FF9088}}.ok{{color:#8FD694}}.mid{{color:#E5BD62}}}}
""".splitlines()
)
