"""How far work on many images is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Counts of images; `accepted` are those that an endpoint took, where there is one."""

    total: int
    accepted: int = 0
    succeeded: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Images that are finished, one way or the other."""
        return self.succeeded + self.failed
