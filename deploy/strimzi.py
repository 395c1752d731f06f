"""Writes the topics and users of deploy/k8s from the declaration that the code itself uses.

    python deploy/strimzi.py

A test compares the files with what this would write.
"""

from collections.abc import Mapping
from pathlib import Path

from schemas.rights import USERS, User, principal, rights_of
from schemas.topics import REPLICAS, TOPICS, Topic

FOLDER = Path(__file__).parent / "k8s" / "components" / "strimzi-kafka"
HEAD = "# Made by deploy/strimzi.py from schemas/topics.py and schemas/rights.py; a test compares.\n"
CLUSTER = "huestream"


def topic_manifest(topic: Topic) -> str:
    settings = "".join(f'    {name}: "{value}"\n' for name, value in topic.config(REPLICAS).items())
    return f"""\
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: {topic.name}
  labels:
    strimzi.io/cluster: {CLUSTER}
spec:
  partitions: {topic.partitions}
  replicas: {REPLICAS}
  config:
{settings}"""


def user_manifest(user: User) -> str:
    acls = "".join(
        f"""\
      - resource:
          type: {right.kind}
          name: {right.name}
          patternType: literal
        operations: [{", ".join(right.operations)}]
"""
        for right in rights_of(user)
    )
    return f"""\
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: {principal(user)}
  labels:
    strimzi.io/cluster: {CLUSTER}
spec:
  authentication:
    type: scram-sha-512
  authorization:
    type: simple
    acls:
{acls}"""


def manifests() -> Mapping[str, str]:
    """The files by their names; topics are created by the operator here, so that nobody else needs the right."""
    return {
        "topics.yaml": HEAD + "---\n".join(topic_manifest(topic) for topic in TOPICS),
        "users.yaml": HEAD + "---\n".join(user_manifest(user) for user in USERS if user != "topics"),
    }


if __name__ == "__main__":
    for name, text in manifests().items():
        (FOLDER / name).write_text(text)
        print(FOLDER / name)
