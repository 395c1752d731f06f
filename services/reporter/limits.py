"""How long things may take."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True)
class Limits:
    """How long things may take."""

    batch: timedelta = timedelta(days=1)
    """A batch ends after that, whatever deadline its record asks for."""
    mail: timedelta = timedelta(days=1)
    """A mail that did not go in that time is given up."""


GENEROUS: Final = Limits()
"""A day for everything."""
