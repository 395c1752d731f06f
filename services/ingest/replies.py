"""What the endpoint answers about an inference. Pure."""

from schemas.api import Progress, ReportState, Status
from services.ingest.inferences import Inference


def status_of(inference: Inference) -> Status:
    """Say how far a batch is."""
    done = inference.succeeded + inference.failed
    last = inference.finished_at or inference.updated_at
    return Status(
        id=inference.inference_id,
        created_at=inference.created_at,
        updated_at=inference.updated_at,
        status=inference.state,
        response_code=200,
        request_item_count=inference.size,
        response_item_count=done,
        response_time=max(0.0, round((last - inference.created_at).total_seconds(), 3)),
        progress=Progress(
            total=inference.size,
            succeeded=inference.succeeded,
            failed=inference.failed,
            pending=max(0, inference.size - done),
        ),
        expires_at=inference.expires_at,
        report=ReportState(email_status=inference.email_status, webhook_status=inference.webhook_status),
    )
