from faust.types import TP

from services.reporter.reading import SteadyThread


class Bereft(SteadyThread):
    """One whose partitions have gone to others; there is no client that it could ask."""

    def __init__(self) -> None:
        """Start nothing."""

    def assignment(self) -> set[TP]:
        return set()


async def test_a_commit_of_what_others_have_by_now_is_left_out_and_ends_nobody() -> None:
    assert await Bereft()._commit({TP("images.classified.v1", 3): 5}) is False  # noqa: SLF001
