"""The link to the results page that mail and webhook hold. Pure: the same batch has the same link, always."""

from datetime import datetime, timedelta

from pydantic import SecretStr

from schemas.results import view_path
from services.runtime.signed_tokens import token_of


def view_link(
    inference_id: str, finished_at: datetime, public_url: str | None, secret: SecretStr | None, days: int
) -> str | None:
    """Link to the results page for so many days from the end of the batch; None where there is no such page."""
    if public_url is None or secret is None:
        return None
    path = view_path(inference_id)
    return f"{public_url.rstrip('/')}{path}?token={token_of(secret, path, finished_at + timedelta(days=days))}"
