"""The link to the results page that the mail holds. Pure: the same report has the same link, always."""

from datetime import timedelta

from pydantic import SecretStr

from schemas.results import Report, view_path
from services.runtime.signed_tokens import token_of


def view_link(report: Report, public_url: str | None, secret: SecretStr | None, days: int) -> str | None:
    """Link to the results page for so many days from the end of the batch; None where there is no such page."""
    if public_url is None or secret is None:
        return None
    path = view_path(report.inference_id)
    return f"{public_url.rstrip('/')}{path}?token={token_of(secret, path, report.finished_at + timedelta(days=days))}"
