"""The least rights are those that the topics' declaration gives, and no others."""

import pytest

from schemas.rights import USERS, principal, rights_of
from schemas.topics import TOPICS, Topic


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_only_declared_writers_write_and_only_declared_readers_read(topic: Topic) -> None:
    def able(operation: str) -> set[str]:
        return {
            user
            for user in USERS
            for right in rights_of(user)
            if right.name == topic.name and operation in right.operations
        }

    assert able("Write") == set(topic.written_by)
    assert able("Read") == set(topic.read_by)
    assert able("Create") == {"topics"}


def test_only_those_with_a_group_may_use_one_and_only_their_own() -> None:
    def groups(operation: str) -> dict[str, list[str]]:
        found = {
            user: [right.name for right in rights_of(user) if right.kind == "group" and operation in right.operations]
            for user in USERS
        }
        return {user: names for user, names in found.items() if names}

    members = {
        "ingest": ["huestream-gathering"],
        "classifier": ["huestream-classifier"],
        "reporter": ["huestream-reporter", "huestream-webhooks"],
    }
    watchers = {
        "ingest": ["huestream-gathering", "huestream-classifier", "huestream-reporter"],
        "autoscaler": ["huestream-classifier"],
    }
    assert groups("Read") == members
    assert groups("Describe") == members | watchers


def test_users_differ_by_name() -> None:
    assert len({principal(user) for user in USERS}) == len(USERS)
