"""How an image goes to a decoding process, and its outcome comes back."""

import struct
from typing import Final

REQUEST: Final = struct.Struct("!II")
"""Lengths of the image's description (JSON) and of its content, which follow."""
REPLY: Final = struct.Struct("!BBI")
"""Kind of the outcome, whether the child ends now, length of the outcome, which follows."""
CLASSIFIED: Final = 0
PROBLEM: Final = 1
FAULT: Final = 2
PROCESS_ID: Final = struct.Struct("!I")
"""The answer of a nursery: its own id when it is ready, then that of each child."""
