"""A webhook as it is sent: a small JSON body and its signature. Pure.

Source: Standard Webhooks 1.0.0 (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; symmetric scheme `v1`).
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime

from schemas.events import InferenceStatus


def webhook_id(inference_id: str) -> str:
    """Name the one message of a batch: every attempt has the same name, so that the receiver can tell."""
    return f"inference.completed.{inference_id}"


def webhook_body(status: InferenceStatus, results_url: str | None, view_url: str | None) -> bytes:
    """Write the body: what is finished and where its results are, none of the results themselves."""
    finished_at = status.finished_at or status.updated_at
    data = {
        "id": status.inference_id,
        "status": status.state,
        "total": status.size,
        "succeeded": status.succeeded,
        "failed": status.failed,
        "created_at": _written(status.created_at),
        "finished_at": _written(finished_at),
        "results_url": results_url,
        "view_url": view_url,
    }
    return json.dumps({"type": "inference.completed", "timestamp": _written(finished_at), "data": data}).encode()


def webhook_headers(secret: bytes, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Sign a body for one attempt.

    >>> from datetime import UTC
    >>> moment = datetime.fromtimestamp(1614265330, UTC)
    >>> secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    >>> headers = webhook_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', moment)
    >>> headers["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    seconds = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
