"""The ways in which one image fails: each is a result, not an error.

ImageProblem
├── FetchProblem   between the URL and the bytes
└── DecodeProblem  between the bytes and the pixels
"""

from schemas.events import ItemError
from schemas.fields import ItemErrorCode


class ImageProblem(Exception):  # noqa: N818  # it becomes a result
    """One image cannot be classified; carries the contract's code and a sentence for its owner."""

    def __init__(self, code: ItemErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.item_error = ItemError(code=code, message=message)


class FetchProblem(ImageProblem):
    """The bytes could not be had."""


class DecodeProblem(ImageProblem):
    """The bytes are no image that can be read."""
