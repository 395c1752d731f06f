"""`huestream topics create|list|check`: the declared topics against a broker's."""

import argparse

from schemas.topics import REPLICAS, TOPICS, Topic
from services.administration.connecting import add_bootstrap_servers, run_administration, say, settings_of
from services.runtime.topic_admin import topic_admin


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the actions and options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (
        ("create", "create what is missing; what differs is reported and never changed"),
        ("list", "show the declaration, without a broker"),
        ("check", "compare a broker's topics with the declaration; exit status 1 when one differs"),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        action.add_argument(
            "--replicas",
            type=int,
            help=f"replicas of each topic (default: HUESTREAM_TOPIC_REPLICAS, or {REPLICAS})",
        )
        if name != "list":
            add_bootstrap_servers(action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    if arguments.action == "list":
        for topic in TOPICS:
            say(_line(topic, arguments.replicas or REPLICAS))
        return 0
    return run_administration(_against_broker(arguments))


def _line(topic: Topic, replicas: int) -> str:
    event = topic.carries.__name__ if topic.carries else "-"
    settings = " ".join(f"{name}={value}" for name, value in topic.config(replicas).items())
    return f"{topic.name:40} {event:16} partitions={topic.partitions} replicas={replicas} {settings}"


async def _against_broker(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    replicas = arguments.replicas or settings.topic_replicas
    async with topic_admin(settings.cluster) as admin:
        if arguments.action == "create":
            for name in await admin.create(TOPICS, replicas):
                say(f"created {name}")
        differences = await admin.differences(TOPICS, replicas)
    for difference in differences:
        say(f"differs: {difference}")
    if not differences:
        say(f"all {len(TOPICS)} topics are as declared")
    return 1 if differences else 0
