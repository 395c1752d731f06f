from types import SimpleNamespace
from typing import Any

from schemas.topics import TOPICS
from services.runtime.topic_admin import TopicAdmin


class LateBroker:
    """A client of a broker that shows a new topic only when it is asked for the third time."""

    def __init__(self) -> None:
        self.created: list[str] = []
        self.asked = 0

    async def create_topics(self, topics: list[Any]) -> SimpleNamespace:
        self.created = [topic.name for topic in topics]
        return SimpleNamespace(topic_errors=[(name, 0, None) for name in self.created])

    async def list_topics(self) -> list[str]:
        self.asked += 1
        return self.created if self.asked >= 3 else []


async def test_what_was_created_is_seen_before_anybody_looks_at_it() -> None:
    broker = LateBroker()
    assert await TopicAdmin(broker).create(TOPICS, 1) == [topic.name for topic in TOPICS]
    assert broker.asked == 3
    assert await TopicAdmin(broker).create(TOPICS, 1) == []
