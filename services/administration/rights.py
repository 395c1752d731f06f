"""`huestream rights list|grant`: what each user of Kafka needs, and no more."""

import argparse
from collections.abc import Sequence

from schemas.rights import USERS, Right, User, principal, rights_of
from services.administration.connecting import add_bootstrap_servers, cluster_of_arguments, run_administration, say
from services.runtime.granting import grant


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the actions and options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, summary in (
        ("list", "show the least rights of each user, without a broker"),
        ("acls", "show them as arguments of Kafka's kafka-acls command"),
        ("grant", "grant them in a Kafka, as one of its administrators"),
    ):
        action = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        action.add_argument("users", nargs="*", metavar="USER", help=f"of: {', '.join(USERS)} (default: all)")
        if name == "grant":
            add_bootstrap_servers(action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    users = _users(arguments.users)
    if arguments.action == "grant":
        return run_administration(_grant(arguments, users))
    show = _acl if arguments.action == "acls" else _line
    for user in users:
        for right in rights_of(user):
            say(show(user, right))
    return 0


def _users(named: Sequence[str]) -> list[User]:
    unknown = sorted(set(named) - set(USERS))
    if unknown:
        raise SystemExit(f"huestream: there is no user {unknown[0]}; there are {', '.join(USERS)}")
    return [user for user in USERS if not named or user in named]


def _line(user: User, right: Right) -> str:
    return f"{principal(user):22} {right.kind:6} {right.name:36} {', '.join(right.operations)}"


def _acl(user: User, right: Right) -> str:
    operations = " ".join(f"--operation {operation}" for operation in right.operations)
    return f"--add --allow-principal User:{principal(user)} {operations} --{right.kind} {right.name}"


async def _grant(arguments: argparse.Namespace, users: Sequence[User]) -> int:
    count = await grant(cluster_of_arguments(arguments), users)
    say(f"granted {count} rights to {len(users)} users")
    return 0
