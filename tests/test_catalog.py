from hypothesis import given
from hypothesis import strategies as st

from services.catalog import Column, rows_of, text_problem
from services.catalog_rows import CatalogError

COLUMNS = (Column("a", text_problem), Column("b", text_problem, named=False, filled=False))


def test_a_column_that_may_be_absent_is_empty() -> None:
    assert rows_of(b"A,c\n x ,y\n", COLUMNS) == [{"a": "x", "b": None}]


@given(st.binary(max_size=100))
def test_any_bytes_are_rows_or_a_message_that_cannot_act_on_a_terminal(content: bytes) -> None:
    try:
        rows_of(content, COLUMNS)
    except CatalogError as error:
        assert all(problem.isprintable() for problem in error.problems)  # noqa: PT017  # accepted bytes raise nothing
