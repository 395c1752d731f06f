"""Why a request is refused: status, name and sentence, as the contract words them."""

from http import HTTPStatus
from typing import Final

_NAMES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}  # the phrases of RFC 9110, newer than Python's


class RefusedError(Exception):
    """A request is answered with an error; the message is for the client."""

    def __init__(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        """The three members of every error reply."""
        return {"error": error_name(self.code), "message": self.message, "code": self.code}


def error_name(code: int) -> str:
    """Name a status code.

    >>> error_name(400)
    'Bad Request'
    """
    return _NAMES.get(code) or HTTPStatus(code).phrase
