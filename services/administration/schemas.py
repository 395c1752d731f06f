"""`huestream schemas`: write the published JSON Schemas."""

import argparse
from pathlib import Path

from schemas.export import PUBLISHED, published_schemas
from services.administration.connecting import say


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--output", type=Path, default=PUBLISHED, metavar="DIR", help="where to write them")


def run(arguments: argparse.Namespace) -> int:
    """Write one file for each event and for the report; returns the exit status."""
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, text in published_schemas().items():
        (arguments.output / name).write_text(text, encoding="utf-8")
        say(str(arguments.output / name))
    return 0
