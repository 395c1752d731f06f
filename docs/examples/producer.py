"""Submit a batch by writing its events straight to Kafka: the same contract, the same report, no HTTP.

    python producer.py BOOTSTRAP_SERVERS KEY_ID < items.json

`items.json` is an array of 1 to 250 objects as the HTTP endpoint takes them. The report goes to the address of the
API key whose id is KEY_ID (the middle part of hue_<id>_<secret>). Needs nothing but aiokafka.
"""

import asyncio
import hashlib
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer


async def submit(bootstrap_servers: str, key_id: str, items: list[dict[str, str]]) -> str:
    """Write all images, wait until they are durable, then write the batch record, which makes them a batch."""
    inference_id = str(uuid.uuid4())
    now = datetime.now(UTC)
    batch = {
        "inference_id": inference_id,
        "fingerprint": hashlib.sha256(json.dumps(items).encode()).hexdigest(),
        "submitted_at": now.isoformat(),
        "deadline_at": (now + timedelta(hours=1)).isoformat(),
    }
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = []
        for index, item in enumerate(items):
            image = {"type": "image.submitted", "version": 1, **batch, "index": index, **item}
            key = f"{inference_id}/{index}".encode()
            sent.append(await producer.send("images.submitted.v1", json.dumps(image).encode(), key=key))
        await asyncio.gather(*sent)
        record = {"type": "batch.submitted", "version": 1, **batch, "key_id": key_id, "size": len(items)}
        await producer.send_and_wait("batches.submitted.v1", json.dumps(record).encode(), key=inference_id.encode())
    finally:
        await producer.stop()
    return inference_id


if __name__ == "__main__":
    print(asyncio.run(submit(sys.argv[1], sys.argv[2], json.load(sys.stdin))))
