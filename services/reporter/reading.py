"""Faust's consumer, held to reading each partition without holes; with `stream.py` the only module that knows Faust.

A fetch that was under way when partitions came may be answered afterwards, with records of a position that no longer
holds. Faust takes them, notes those in between as done, and drops these when they are read: they would be lost.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

_TRIES: Final = 5


class SteadyConsumer(Consumer):
    """Hands on the records of a partition one after another, from the committed one; reads again what is missing."""

    sources: frozenset[str] = frozenset()
    """The topics for which it does so: those whose records are acknowledged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected: dict[TP, int] = {}
        self._tries: dict[TP, int] = {}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand on nothing until the positions are known again."""
        for partition in revoked:
            self._expected.pop(partition, None)
        await super().on_partitions_revoked(revoked)

    async def perform_seek(self) -> None:
        """Go to the committed records; where nothing is committed, to the first that is kept."""
        await super().perform_seek()
        sources = [partition for partition in self.assignment() if partition.topic in self.sources]
        committed = {partition: self._committed_offset.get(partition) for partition in sources}
        begun = [partition for partition, offset in committed.items() if not offset]
        begins = await self.earliest_offsets(*begun) if begun else {}
        for partition in begun:
            await self.seek(partition, begins[partition])
        self._expected = {partition: offset or begins[partition] for partition, offset in committed.items()}
        self._tries.clear()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  # as in Faust
        """Fetch records, and leave out those that do not follow."""
        sought: set[TP] = set()
        async for partition, message in super().getmany(timeout):
            if partition.topic not in self.sources or self._follows(partition, message.offset):
                yield partition, message
            elif partition in self._expected and partition not in sought:
                sought.add(partition)
                self._tries[partition] = self._tries.get(partition, 0) + 1
                await self.seek(partition, self._expected[partition])

    def _follows(self, partition: TP, offset: int) -> bool:
        """Say whether this is the next record; a hole that stays is the log's: a transaction's, or its beginning."""
        expected = self._expected.get(partition)
        if expected is None or offset < expected:
            return False
        if offset > expected and self._tries.get(partition, 0) < _TRIES:
            return False
        self._tries.pop(partition, None)
        self._read_offset[partition] = expected - 1 if expected else None
        self._expected[partition] = offset + 1
        return True
