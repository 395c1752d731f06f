"""`huestream keys issue|list|show|revoke|rotate|webhook`: API keys, kept as hashes that every replica knows."""

import argparse
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr, ValidationError

from schemas.events import ApiKey
from services.administration.connecting import add_bootstrap_servers, cluster_of_arguments, run_administration, say
from services.administration.key_stores import KeysInFile, KeyStore, KeyTopic
from services.runtime.api_keys import new_secret, rotated, state_of
from services.runtime.key_sources import KeyFileError
from services.runtime.signed_tokens import MIN_SECRET
from services.runtime.topic_admin import TopicError
from services.runtime.webhook_secrets import shown_secret, webhook_secret

_PERIOD = re.compile(r"([0-9]{1,5})([hd])")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the actions and options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    issue = actions.add_parser("issue", help="make a key and show its secret, once")
    _configure_issue(issue)
    listing = actions.add_parser("list", help="list all keys, without their secrets")
    show = actions.add_parser("show", help="show what a key may do, without its secret")
    revoke = actions.add_parser("revoke", help="make a key stop working everywhere within 2 seconds")
    rotate = actions.add_parser("rotate", help="give a key a new secret and show it, once")
    rotate.add_argument(
        "--overlap",
        type=_period,
        default=timedelta(days=1),
        help="how long the old secret works beside the new one, as 12h or 2d; 0h ends it at once (default: 1d)",
    )
    webhook = actions.add_parser("webhook", help="tell a server of the key's owner of each finished batch")
    _configure_webhook(webhook)
    for action in (show, revoke, rotate, webhook):
        action.add_argument("key_id", metavar="KEY_ID", help="the part of the key between hue_ and the secret")
    for action in (issue, listing, show, revoke, rotate, webhook):
        add_bootstrap_servers(action)
        action.add_argument("--file", type=Path, help="keep keys in this file instead of Kafka's topic")


def _configure_issue(issue: argparse.ArgumentParser) -> None:
    issue.add_argument("--owner", required=True, help="who the key belongs to; keys of one owner see the same batches")
    issue.add_argument("--email", help="where reports go; without it they are only stored")
    issue.add_argument("--scopes", default="submit,read", help="what it may do (default: submit,read)")
    issue.add_argument(
        "--expires", type=_moment, help="from when on it is refused: 2027-01-31 (UTC), or 90d (default: never)"
    )
    issue.add_argument("--requests-per-minute", type=int, help="limit of submissions (default: that of the endpoint)")
    issue.add_argument("--images-per-minute", type=int, help="limit of images, at least one whole batch of 250")


def _configure_webhook(webhook: argparse.ArgumentParser) -> None:
    where = webhook.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="http or https URL, on the public web, that gets a signed POST")
    where.add_argument("--off", action="store_true", help="tell nobody any more")
    where.add_argument(
        "--secret", action="store_true", help="show the secret that the webhooks of the key are signed by"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the action; returns the exit status."""
    return run_administration(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    actions = {"issue": _issue, "list": _list, "show": _show, "revoke": _revoke, "rotate": _rotate, "webhook": _webhook}
    store = KeysInFile(arguments.file) if arguments.file else KeyTopic(cluster_of_arguments(arguments))
    try:
        await actions[arguments.action](arguments, store)
    except KeyFileError as error:
        raise TopicError(str(error)) from error
    return 0


async def _issue(arguments: argparse.Namespace, store: KeyStore) -> None:
    secret = new_secret()
    try:
        key = ApiKey(
            key_id=secret.key_id,
            owner=arguments.owner,
            email=arguments.email,
            secret_sha256=secret.sha256,
            scopes=tuple(scope.strip() for scope in arguments.scopes.split(",")),
            created_at=datetime.now(UTC),
            expires_at=arguments.expires,
            requests_per_minute=arguments.requests_per_minute,
            images_per_minute=arguments.images_per_minute,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise TopicError(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}") from error
    await store.put(key)
    _show_secret(secret.text)


async def _list(_: argparse.Namespace, store: KeyStore) -> None:
    for key in await store.all():
        say(f"{key.key_id}  {key.created_at:%Y-%m-%d}  {_state(key):18}  {key.owner}  {key.email or '-'}")


async def _show(arguments: argparse.Namespace, store: KeyStore) -> None:
    key = await _found(arguments.key_id, store)
    say(f"key       {key.key_id}, {_state(key)}, issued {key.created_at:%Y-%m-%d %H:%M} UTC")
    say(f"owner     {key.owner}")
    say(f"reports   {key.email or 'are stored, not mailed'}")
    say(f"webhook   {key.webhook_url or 'none'}")
    say(f"scopes    {', '.join(key.scopes)}")
    say(f"requests  {_limit(key.requests_per_minute)}")
    say(f"images    {_limit(key.images_per_minute)}")
    if key.former_until is not None:
        say(f"rotated   the former secret works until {key.former_until:%Y-%m-%d %H:%M} UTC")


async def _revoke(arguments: argparse.Namespace, store: KeyStore) -> None:
    key = await _found(arguments.key_id, store)
    await store.put(key.model_copy(update={"revoked_at": key.revoked_at or datetime.now(UTC)}))
    say(f"revoked {key.key_id}")


async def _rotate(arguments: argparse.Namespace, store: KeyStore) -> None:
    """Change the secret alone: the id stays, and with it limits, batches and what an Idempotency-Key names."""
    key, now = await _found(arguments.key_id, store), datetime.now(UTC)
    if state_of(key, now) != "valid":
        raise TopicError(f"the key {key.key_id} has been {state_of(key, now)}; issue a new one")
    secret = new_secret(key.key_id)
    await store.put(rotated(key, secret, now + arguments.overlap))
    _show_secret(secret.text)


async def _webhook(arguments: argparse.Namespace, store: KeyStore) -> None:
    key = await _found(arguments.key_id, store)
    if arguments.secret:
        say(_webhook_secret(key.key_id))
        return
    try:
        changed = ApiKey.model_validate(key.model_dump() | {"webhook_url": arguments.url})
    except ValidationError as error:
        raise TopicError("--url: expected an absolute http or https URL") from error
    await store.put(changed)
    say(f"webhook of {key.key_id}: {arguments.url or 'none'}")


def _webhook_secret(key_id: str) -> str:
    """Derive the secret of a key from what the reporter signs with."""
    master = os.environ.get("HUESTREAM_WEBHOOK_SECRET", "")
    if len(master) < MIN_SECRET:
        raise TopicError("set HUESTREAM_WEBHOOK_SECRET to what the reporter has; the secret of a key follows from it")
    return shown_secret(webhook_secret(SecretStr(master), key_id))


async def _found(key_id: str, store: KeyStore) -> ApiKey:
    for key in await store.all():
        if key.key_id == key_id:
            return key
    raise TopicError(f"there is no key {key_id[:64]!r}; see: huestream keys list")


def _show_secret(text: str) -> None:
    """Write the secret for scripts on standard output, and the warning beside it."""
    sys.stderr.write("This is the only time that the key is shown: keep it in a safe place.\n")
    say(text)


def _state(key: ApiKey) -> str:
    state = state_of(key, datetime.now(UTC))
    return f"expires {key.expires_at:%Y-%m-%d}" if state == "valid" and key.expires_at else state


def _limit(per_minute: int | None) -> str:
    return f"{per_minute} a minute" if per_minute else "as many as the endpoint allows"


def _moment(text: str) -> datetime:
    """Read a date, a moment, or a period from now on."""
    if _PERIOD.fullmatch(text):
        return datetime.now(UTC) + _period(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("expected a date such as 2027-01-31, or a period such as 90d") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise argparse.ArgumentTypeError("that is past")
    return moment


def _period(text: str) -> timedelta:
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("expected a number of hours or days, such as 12h or 90d")
    return timedelta(**{{"h": "hours", "d": "days"}[found[2]]: int(found[1])})
