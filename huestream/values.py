"""What goes in and what comes back."""

from dataclasses import dataclass

from schemas.events import ImageFields

Image = ImageFields
"""One image of a batch; a mapping with the same members does as well."""


@dataclass(frozen=True)
class Submission:
    """A batch that the endpoint has taken; `page` is the path of its results page, where there are such pages."""

    inference_id: str
    page: str | None = None


@dataclass(frozen=True)
class Status:
    """How far a batch is."""

    state: str
    succeeded: int
    failed: int
    pending: int

    @property
    def is_finished(self) -> bool:
        """Whether its results are final."""
        return self.state != "in_progress"
