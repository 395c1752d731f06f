"""`huestream keys issue|list|revoke`: API keys, kept as hashes in a compacted topic that every replica reads."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from schemas.events import ApiKey
from schemas.topics import API_KEYS
from services.administration.connecting import add_bootstrap_servers, cluster_of_arguments, run_administration, say
from services.runtime.api_keys import KeyRing, new_secret
from services.runtime.cluster import Kafka
from services.runtime.following import Follower
from services.runtime.kafka import consumer, publisher
from services.runtime.logs import configure_logs
from services.runtime.topic_admin import TopicError, require

_TIMEOUT_SECONDS = 30.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the actions and options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    issue = actions.add_parser("issue", help="make a key and show its secret, once")
    issue.add_argument("--owner", required=True, help="who the key belongs to; keys of one owner see the same batches")
    issue.add_argument("--email", help="where reports go; without it they are only stored")
    issue.add_argument("--days", type=int, help="days until the key expires (default: never)")
    listing = actions.add_parser("list", help="list all keys, without their secrets")
    revoke = actions.add_parser("revoke", help="make a key stop working everywhere within 2 seconds")
    revoke.add_argument("key_id", metavar="KEY_ID", help="the part of the key between hue_ and the secret")
    for action in (issue, listing, revoke):
        add_bootstrap_servers(action)


def run(arguments: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    actions = {"issue": _issue, "list": _list, "revoke": _revoke}
    return run_administration(actions[arguments.action](arguments))


async def issue_key(kafka: Kafka, owner: str, email: str | None, expires_at: datetime | None = None) -> str:
    """Make a key, wait until Kafka has it, and return it as its owner gets it."""
    secret = new_secret()
    key = ApiKey(
        key_id=secret.key_id,
        owner=owner,
        email=email,
        secret_sha256=secret.sha256,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    await _publish(kafka, key)
    return secret.text


async def _issue(arguments: argparse.Namespace) -> int:
    expires_at = datetime.now(UTC) + timedelta(days=arguments.days) if arguments.days else None
    try:
        say(await issue_key(cluster_of_arguments(arguments), arguments.owner, arguments.email, expires_at))
    except ValidationError as error:
        first = error.errors()[0]
        raise TopicError(f"--{first['loc'][0]}: {first['msg']}") from error
    return 0


async def _list(arguments: argparse.Namespace) -> int:
    for key in await _keys(cluster_of_arguments(arguments)):
        state = "revoked" if key.revoked_at else f"expires {key.expires_at:%Y-%m-%d}" if key.expires_at else "valid"
        say(f"{key.key_id}  {key.created_at:%Y-%m-%d}  {state:18}  {key.owner}  {key.email or '-'}")
    return 0


async def _revoke(arguments: argparse.Namespace) -> int:
    keys = {key.key_id: key for key in await _keys(cluster_of_arguments(arguments))}
    if arguments.key_id not in keys:
        raise TopicError(f"there is no key {arguments.key_id}; see: huestream keys list")
    revoked = keys[arguments.key_id].model_copy(update={"revoked_at": datetime.now(UTC)})
    await _publish(cluster_of_arguments(arguments), revoked)
    say(f"revoked {arguments.key_id}")
    return 0


async def _publish(kafka: Kafka, key: ApiKey) -> None:
    await require(kafka, [API_KEYS], _TIMEOUT_SECONDS)
    async with publisher(kafka, _TIMEOUT_SECONDS, _TIMEOUT_SECONDS) as out:
        await out.publish(API_KEYS, [key])


async def _keys(kafka: Kafka) -> Sequence[ApiKey]:
    ring = KeyRing()
    log = configure_logs("keys", "warning")
    await require(kafka, [API_KEYS], _TIMEOUT_SECONDS)
    async with consumer(kafka, _TIMEOUT_SECONDS) as source:
        await Follower(source, {API_KEYS: ring.fold}, log).catch_up(_TIMEOUT_SECONDS)
    return ring.all()
