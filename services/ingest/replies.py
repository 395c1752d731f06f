"""What the endpoint answers. Pure."""

from datetime import datetime
from typing import Final

from schemas.events import InferenceStatus

MODEL: Final = "color-classification"
QUEUED: Final = f"Message queued successfully on the inference queue for {MODEL}"


def accepted(inference_id: str) -> dict[str, object]:
    """The reply to an accepted batch: three members and no other."""
    return {"message": QUEUED, "inference_id": inference_id, "model": MODEL}


def status_reply(status: InferenceStatus) -> dict[str, object]:
    """The reply that says how far a batch is."""
    done = status.succeeded + status.failed
    return {
        "id": status.inference_id,
        "created_at": _text(status.created_at),
        "updated_at": _text(status.updated_at),
        "status": status.state,
        "model": MODEL,
        "response_code": 200,
        "request_item_count": status.size,
        "response_item_count": done,
        "response_time": round(((status.finished_at or status.updated_at) - status.created_at).total_seconds(), 3),
        "progress": {
            "total": status.size,
            "succeeded": status.succeeded,
            "failed": status.failed,
            "pending": status.size - done,
        },
        "expires_at": _text(status.expires_at),
        "report": {"email_status": status.email_status},
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
