"""How the mail looks: what is inline, and what only programs that read style sheets get. Pure."""

from typing import Final

FONT: Final = "font-family:-apple-system,'Segoe UI',Roboto,Arial,sans-serif;"
MONO: Final = "font-family:Consolas,Menlo,monospace;"
QUIET: Final = "color:#67625C;font-size:13px;line-height:18px;"

STYLE: Final = "".join(
    f"""
body{{-webkit-text-size-adjust:100%}}
.l td{{border-top:1px solid #E9E5DF;padding:8px 10px 8px 0;vertical-align:middle;font-size:14px;line-height:19px;
overflow-wrap:anywhere}}
.l td.t{{border:0}}
.l td.s{{width:30px;min-width:30px;height:34px;padding:0;border:0 solid #FFFFFF;border-width:6px 12px 6px 0;
background-clip:padding-box;border-radius:8px 20px 20px 8px/14px;
box-shadow:inset 0 0 0 1px rgba(128,128,128,.3)}}
.l td.a{{width:14px;padding:0 10px 0 0;border:0;color:#67625C;text-align:center}}
.l td.f{{border:0;padding:2px 0 4px 14px}}
.l .v{{text-align:right;white-space:nowrap;overflow-wrap:normal;padding-right:0}}
.l b{{font-weight:600}}
.q{{color:#67625C;font-size:13px}}
.h{{{MONO}font-size:12px}}
.bad{{color:#B3261E}}.ok{{color:#2F6B33}}.mid{{color:#7A5600}}
@media(max-width:480px){{.o{{padding:0!important}}.p{{border-radius:0!important}}.in{{padding:20px 16px!important}}
.l td{{padding-right:8px}}}}
@media(prefers-color-scheme:dark){{.b{{background:#141312!important}}.p{{background:#1F1D1B!important}}
.in{{color:#ECE8E2!important}}.q,.l td.a{{color:#ABA49B!important}}.l td{{border-color:#37332F}}
.l td.s{{border-color:#1F1D1B}}.btn{{background:#ECE8E2!important}}.btn a{{color:#1F1D1B!important}}
.bad{{color:#FF9088}}.ok{{color:#8FD694}}.mid{{color:#E5BD62}}}}
""".splitlines()
)
