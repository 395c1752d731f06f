"""How an image goes to a decoding process, and its outcome comes back."""

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # decoders import this module, and not what validates
    from schemas.events import ImageFields

REQUEST: Final = struct.Struct("!II")
"""Lengths of the image's description (JSON) and of its content, which follow; the description is as `Description`."""
REPLY: Final = struct.Struct("!BBI")
"""Kind of the outcome, whether the child ends now, length of the outcome, which follows."""
CLASSIFIED: Final = 0
PROBLEM: Final = 1
FAULT: Final = 2
PROCESS_ID: Final = struct.Struct("!I")
"""The answer of a nursery: its own id when it is ready, then that of each child."""


@dataclass(frozen=True)
class Description:
    """What the analysis is told of an image beside its bytes."""

    product_type: str | None
    category: str | None
    hex_color_label: str | None


def description_of(image: "ImageFields") -> bytes:
    """Write what the analysis is told."""
    return json.dumps([image.product_type, image.category, image.hex_color_label]).encode()


def read_description(text: bytes) -> Description:
    """Read what the analysis is told."""
    return Description(*json.loads(text))
