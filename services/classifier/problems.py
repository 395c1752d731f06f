"""The ways in which one image fails: each is a result, not an error.

ImageProblem
├── DeadlinePassed  before anything was done
├── BatchCanceled   likewise
├── FetchProblem    between the URL and the bytes
└── DecodeProblem   between the bytes and the pixels
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # decoders import this module, and not what validates
    from schemas.fields import ItemErrorCode


class ImageProblem(Exception):  # noqa: N818  # it becomes a result
    """One image cannot be classified; carries the contract's code and a sentence for its owner."""

    def __init__(self, code: "ItemErrorCode", message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class DeadlinePassed(ImageProblem):
    """The batch ended before the image's turn came."""

    def __init__(self) -> None:
        super().__init__("timed_out", "The image was not classified before the batch's deadline")


class BatchCanceled(ImageProblem):
    """The batch was canceled before the image's turn came."""

    def __init__(self) -> None:
        super().__init__("canceled", "The batch was canceled before the image was classified")


class FetchProblem(ImageProblem):
    """The bytes could not be had; `may_pass` where another try could have them."""

    def __init__(
        self, code: "ItemErrorCode", message: str, *, may_pass: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.may_pass = may_pass
        self.retry_after_seconds = retry_after_seconds


class DecodeProblem(ImageProblem):
    """The bytes are no image that can be read."""


def too_much_memory() -> DecodeProblem:
    """Name the end of an image that does not fit into what a decoder may take."""
    return DecodeProblem("image_too_many_pixels", "The image needs more memory than a decoder may take")
