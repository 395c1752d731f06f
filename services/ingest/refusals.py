"""Why a request is refused: status, name and sentence, as the contract words them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from schemas.api import Error, Problem, Violation
from services.ingest.request_headers import PROBLEM, wants_problem

RETRY_AFTER_SECONDS: Final = 5
_NAMES: Final = {413: "Content Too Large", 422: "Unprocessable Content"}  # the phrases of RFC 9110, newer than Python's


class RefusedError(Exception):
    """A request is answered with an error; the message is for the client."""

    def __init__(
        self, code: int, message: str, headers: Mapping[str, str] | None = None, violations: Sequence[Violation] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.violations = tuple(violations)

    def error(self) -> Error:
        """The three members of every error reply."""
        return Error(error=error_name(self.code), message=self.message, code=self.code)

    def problem(self) -> Problem:
        """The same as problem details (RFC 9457), with every violation."""
        return Problem(title=error_name(self.code), status=self.code, detail=self.message, errors=self.violations)

    def body(self, accept: Iterable[str]) -> tuple[str, str]:
        """What is answered where these `Accept` headers came, and its media type."""
        if wants_problem(accept):
            return self.problem().model_dump_json(), PROBLEM
        return self.error().model_dump_json(), "application/json"


def unavailable(what: str) -> RefusedError:
    """Refuse for the time being.

    >>> unavailable("The inference queue is").message
    'The inference queue is unavailable; retry after 5 seconds'
    """
    return RefusedError(
        503,
        f"{what} unavailable; retry after {RETRY_AFTER_SECONDS} seconds",
        {"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def error_name(code: int) -> str:
    """Name a status code.

    >>> error_name(400)
    'Bad Request'
    """
    return _NAMES.get(code) or HTTPStatus(code).phrase
