from hypothesis import given
from hypothesis import strategies as st

from services.catalog import CatalogError, Form, rows_of


@given(st.binary(max_size=100), st.sampled_from(["csv", "json", "ndjson"]))
def test_any_bytes_are_rows_or_a_message_that_cannot_act_on_a_terminal(content: bytes, form: Form) -> None:
    try:
        rows = list(rows_of(content, form, {}, ["image_path"]))
    except CatalogError as error:
        assert all(problem.isprintable() for problem in error.problems)  # noqa: PT017  # accepted bytes raise nothing
    else:
        assert all(row.broken is None or row.broken.isprintable() for row in rows)
