"""What is taken of the library is handed on: its records are lost otherwise, until somebody begins anew."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from faust.types import TP

from services.reporter.reading import SteadyConsumer, SteadyThread
from services.reporter.settings import ReporterSettings
from services.reporter.stream import faust_app

SOURCE, TABLE = TP("images.classified.v1", 3), TP("huestream-reporter-rows-changelog", 3)


class Bereft(SteadyThread):
    """One whose partitions have gone to others; there is no client that it could ask."""

    def __init__(self) -> None:
        """Start nothing."""

    def assignment(self) -> set[TP]:
        return set()


class Library:
    """Answers when it is let, as aiokafka does: where it is asked for none, with the records of all partitions."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def getmany(self, partitions: set[TP], timeout: float) -> Mapping[TP, str]:  # noqa: ASYNC109  # as in Faust
        del timeout
        await self.answers.wait()
        return {place: "records" for place in (SOURCE, TABLE) if not partitions or place in partitions}

    def assignment(self) -> set[TP]:
        return set()


@pytest.fixture
async def library() -> Library:
    return Library()


@pytest.fixture
async def reading(library: Library, tmp_path: Path) -> SteadyConsumer:
    settings = ReporterSettings.model_validate({"environment": "development", "state_dir": str(tmp_path)})
    consumer: SteadyConsumer = faust_app(settings).app.consumer
    consumer._thread.thread_loop.close()  # noqa: SLF001
    consumer._thread = library  # type: ignore[assignment]  # noqa: SLF001
    return consumer


async def test_a_commit_of_what_others_have_by_now_is_left_out_and_ends_nobody() -> None:
    assert await Bereft()._commit({TP("images.classified.v1", 3): 5}) is False  # noqa: SLF001


async def test_partitions_that_flow_no_more_leave_the_others_out(reading: SteadyConsumer, library: Library) -> None:
    """Tables are read alone before the rest flows, and stop when they are read; a question may be open meanwhile."""
    flowing = {TABLE}
    question = asyncio.create_task(reading._getmany(flowing, 1.0))  # noqa: SLF001
    await asyncio.sleep(0)
    flowing.clear()
    library.answers.set()
    assert SOURCE not in await question


async def test_a_question_that_is_open_in_a_rebalance_takes_nothing(reading: SteadyConsumer, library: Library) -> None:
    question = asyncio.create_task(reading._getmany({SOURCE, TABLE}, 1.0))  # noqa: SLF001
    await asyncio.sleep(0)
    await reading.on_partitions_revoked({SOURCE, TABLE})
    library.answers.set()
    assert await question == {}
