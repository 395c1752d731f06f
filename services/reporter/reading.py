"""Faust's consumer, held to reading each partition without holes; with `stream.py` the only module that knows Faust.

A fetch that was under way when partitions came may be answered afterwards, with records of a position that no longer
holds. Faust takes them, notes those in between as done, and drops these when they are read: they would be lost. And it
asks with the very set of partitions that it empties and fills meanwhile: an empty one asks for the records of all.
"""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types import TP

from services.reporter.acknowledging import Unbroken
from services.runtime.metrics import GroupMetrics

_NO_PARTITION: Final = TP("", -1)


class SteadyThread(AIOKafkaConsumerThread):
    """Commits what is still ours; to have nothing to commit, since all partitions went to others, is no error."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        held = self.assignment()
        ours = {partition: offset for partition, offset in offsets.items() if partition in held}
        return bool(await super()._commit(ours)) if ours else False  # aiokafka raises on an empty commit


class SteadyConsumer(Consumer):
    """Hands on the records of a partition one after another, from the committed one; reads again what is missing."""

    sources: frozenset[str] = frozenset()
    """The topics for which it does so: those whose records are acknowledged."""
    measured: GroupMetrics

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unbroken = Unbroken()
        self._asked_for = {_NO_PARTITION}
        self.polled_at = time.monotonic()

    def _new_consumer_thread(self) -> SteadyThread:
        return SteadyThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand on nothing until the positions are known again, and take nothing where we are asking just now."""
        self._asked_for.intersection_update({_NO_PARTITION})
        for partition in revoked:
            self._unbroken.forget(partition)
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
        self._unbroken.begin({partition: offset or begins[partition] for partition, offset in committed.items()})

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # as in Faust
        """Ask for these partitions and no others, whatever becomes of them until there is an answer.

        What else would be taken of partitions that do not flow yet would be thrown away, and not be read again.
        """
        self._asked_for = {*(active_partitions or ()), _NO_PARTITION}
        return await super()._getmany(self._asked_for, timeout)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  # as in Faust
        """Fetch records, and leave out those that do not follow."""
        self.polled_at = time.monotonic()
        self.measured.polled.set_to_current_time()
        sought: set[TP] = set()
        async for partition, message in super().getmany(timeout):
            if partition.topic not in self.sources or self._passes(partition, message.offset):
                yield partition, message
            elif partition not in sought:
                sought.add(partition)
                await self._read_again(partition)

    async def commit(self, *args: Any, **kwargs: Any) -> bool:
        """Commit what is done; where nothing new is, all that is done is committed. What fails ends the process."""
        did = await super().commit(*args, **kwargs)
        self.measured.committed.set_to_current_time()
        return bool(did)

    def _passes(self, partition: TP, offset: int) -> bool:
        """Say whether a record is the next one; Faust's own judgment is set to agree."""
        expected = self._unbroken.follows(partition, offset)
        if expected is None:
            return False
        self._read_offset[partition] = expected - 1 if expected else None
        return True

    async def _read_again(self, partition: TP) -> None:
        """Go back to what is missing; where nobody said where a partition begins, begin all where they should."""
        if not self._unbroken.knows(partition):
            await self.perform_seek()
            return
        missing = self._unbroken.missing(partition)
        if missing is not None:
            await self.seek(partition, missing)
