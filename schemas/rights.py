"""Who may do what in Kafka: the least rights of each user, derived from the topics' declared writers and readers.

Used by `huestream rights`, by `huestream local --secure` and for the manifests of deploy/k8s. A Kafka that grants
exactly these refuses everything else. Source of the operations: Kafka 4.3 documentation, Authorization and ACLs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from schemas.topics import CLASSIFIER_GROUP, GROUPS, IMAGES_SUBMITTED, TOPICS, WATCHED_GROUPS, Service

Operation = Literal["Create", "Describe", "DescribeConfigs", "Read", "Write"]
User = Literal[Service, "topics", "autoscaler"]
"""The services and people that write or read; who creates the topics; who watches the lag."""

USERS: Final[tuple[User, ...]] = (*get_args(Service), "topics", "autoscaler")


@dataclass(frozen=True)
class Right:
    """What one user may do with one thing."""

    kind: Literal["topic", "group"]
    name: str
    operations: tuple[Operation, ...]


def principal(user: User) -> str:
    """Name a user as Kafka knows it.

    >>> principal("ingest")
    'huestream-ingest'
    """
    return f"huestream-{user}"


def rights_of(user: User) -> tuple[Right, ...]:
    """List the least rights with which a user's work can be done.

    >>> rights_of("keys")
    (Right(kind='topic', name='api-keys.v1', operations=('Describe', 'Read', 'Write')),)
    """
    match user:
        case "topics":
            return tuple(Right("topic", topic.name, ("Create", "Describe", "DescribeConfigs")) for topic in TOPICS)
        case "autoscaler":
            return (
                Right("topic", IMAGES_SUBMITTED.name, ("Describe",)),
                Right("group", CLASSIFIER_GROUP, ("Describe",)),
            )
        case _:
            return tuple(_rights_of_service(user))


def _rights_of_service(user: Service) -> Iterator[Right]:
    for topic in TOPICS:
        reads: tuple[Operation, ...] = ("Read",) if user in topic.read_by else ()
        writes: tuple[Operation, ...] = ("Write",) if user in topic.written_by else ()
        if reads or writes:
            yield Right("topic", topic.name, ("Describe", *reads, *writes))
    for group in GROUPS.get(user, ()):
        yield Right("group", group, ("Describe", "Read"))
    for group in WATCHED_GROUPS.get(user, ()):
        yield Right("group", group, ("Describe",))
