import io

from hypothesis import given
from hypothesis import strategies as st

from services.progress import Progress
from services.terminal import ProgressBar, columns, has_true_color, printable, table


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@given(st.text(max_size=300), st.integers(1, 40))
def test_no_text_acts_on_the_terminal_or_outgrows_its_column(text: str, width: int) -> None:
    shown = printable(text, width)
    assert shown.isprintable()
    assert columns(shown) <= width


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=5))
def test_the_columns_of_a_table_stand_below_each_other(rows: list[tuple[str, str]]) -> None:
    clean = [[printable(cell, 8) for cell in row] for row in rows]
    lines = table(["a", "b"], [[first, f"|{second}"] for first, second in clean]).splitlines()
    assert len({columns(line.partition("|")[0]) for line in lines[2:] if "|" in line}) <= 1 or any(
        "|" in first for first, _ in clean
    )


def test_the_bar_stays_on_one_line_of_a_terminal() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal)
    for done in range(11):
        bar(Progress(total=10, accepted=10, succeeded=done))
    bar.close()
    assert terminal.getvalue().count("\n") == 1
    assert "100 %" in terminal.getvalue()


def test_a_file_gets_plain_lines_and_few() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream)
    for done in range(1001):
        bar(Progress(total=1000, accepted=1000, succeeded=done))
    bar.close()
    assert stream.getvalue() == "0/1000 images done\n1000/1000 images done\n"


def test_colors_are_shown_where_they_can_be_and_are_wanted() -> None:
    able = {"COLORTERM": "truecolor"}
    assert has_true_color(Terminal(), able)
    assert not has_true_color(io.StringIO(), able)
    assert not has_true_color(Terminal(), {})
    assert not has_true_color(Terminal(), {**able, "NO_COLOR": "1"})
