"""The one API key of a local run: made once, kept in its folder, known to every Kafka started there."""

import json
from datetime import UTC, datetime
from pathlib import Path

from schemas.events import ApiKey
from schemas.topics import API_KEYS
from services.runtime.api_keys import LOCAL_EMAIL, LOCAL_OWNER, Secret, new_secret
from services.runtime.cluster import Kafka
from services.runtime.kafka import publisher

_TIMEOUT_SECONDS = 30.0


async def publish_local_key(folder: Path, kafka: Kafka) -> str:
    """Make sure that the kept key is valid in this Kafka; returns it as its owner uses it."""
    secret = _kept_secret(folder / "api-key.json")
    key = ApiKey(
        key_id=secret.key_id,
        owner=LOCAL_OWNER,
        email=LOCAL_EMAIL,
        secret_sha256=secret.sha256,
        created_at=datetime.now(UTC),
    )
    async with publisher(kafka, _TIMEOUT_SECONDS, _TIMEOUT_SECONDS) as out:
        await out.publish(API_KEYS, [key])
    return secret.text


def _kept_secret(file: Path) -> Secret:
    if file.is_file():
        return Secret(**json.loads(file.read_text()))
    secret = new_secret()
    file.touch(mode=0o600)
    file.write_text(json.dumps(vars(secret)))
    return secret
