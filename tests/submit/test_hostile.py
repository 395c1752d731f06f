"""Whatever a catalog or a server writes, a terminal and a spreadsheet show it and do nothing else."""

import csv
import io

import pytest

from schemas.events import ImageFields
from schemas.results import ResultItem
from services.reporter.example_report import example_report
from services.submit.results_file import csv_of
from services.submit.submitting import Outcome
from services.submit.summary import summary_of
from tests.reporter.test_mail import HOSTILE

TERMINAL = ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "a\rb", "\b\b\b", "\N{RIGHT-TO-LEFT OVERRIDE}x"]


def outcome(item: ResultItem, text: str) -> Outcome:
    change = dict.fromkeys(("image_path", "product_type", "category", "custom_id"), text)
    image = ImageFields.model_construct(**change, hex_color_label="#FFFFFF")
    return Outcome(image, "1", item.model_copy(update=change))


@pytest.mark.parametrize("text", [*HOSTILE, *TERMINAL])
def test_hostile_text_does_nothing_on_a_terminal_or_in_a_spreadsheet(text: str) -> None:
    outcomes = [outcome(item, text) for item in example_report(20).items]
    said = summary_of(outcomes, colored=False)
    assert all(letter.isprintable() or letter == "\n" for letter in said)
    plain = summary_of([outcome(item, "plain") for item in example_report(20).items], colored=False)
    assert said.count("\n") == plain.count("\n")
    rows = list(csv.reader(io.StringIO(csv_of(outcomes).decode("utf-8-sig"), newline="")))
    assert len(rows) == 21
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
