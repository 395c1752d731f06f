"""From one local file to its line: the item that the endpoint would answer with."""

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from schemas.classification import Classification
from schemas.events import ItemError
from schemas.results import ResultItem
from services.analyze.images import LocalImage
from services.classifier.answers import analyze_bytes
from services.classifier.problems import FetchProblem, ImageProblem
from services.classifier.refining import figure_finder
from services.classifier.settings import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS


class LocalItem(ResultItem):
    """A result whose index counts files, of which there may be more than a batch has."""

    index: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Line:
    """One line of the output, without its end."""

    text: str
    succeeded: bool


def line_of(index: int, image: LocalImage, refine_model: Path | None = None) -> Line:
    """Analyze a file, with a second look where there is a model for it; whatever is wrong becomes an error item."""
    return written(index, image, _outcome(image, refine_model))


def written(index: int, image: LocalImage, outcome: Classification | ItemError) -> Line:
    """Write an outcome as the endpoint writes a result."""
    succeeded = isinstance(outcome, Classification)
    item = LocalItem(
        index=index,
        image_path=image.image_path,
        product_type=image.product_type,
        hex_color_label=image.hex_color_label,
        category=image.category,
        custom_id=image.custom_id,
        status="succeeded" if succeeded else "failed",
        classification=outcome if succeeded else None,
        error=None if succeeded else outcome,
    )
    return Line(item.model_dump_json(), succeeded)


def _outcome(image: LocalImage, refine_model: Path | None) -> Classification | ItemError:
    try:
        find_figure = figure_finder(refine_model) if refine_model else None
        return analyze_bytes(image, content_of(image.file), MAX_IMAGE_PIXELS, find_figure)
    except ImageProblem as problem:
        return ItemError(code=problem.code, message=problem.message)
    except Exception as error:  # noqa: BLE001  # hostile input ends here: one file must not stop the others
        return ItemError(code="internal", message=f"The image could not be analyzed ({type(error).__name__})")


def content_of(path: Path, max_bytes: int = MAX_IMAGE_BYTES) -> bytes:
    """Read an image file; raises `FetchProblem`."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise FetchProblem("fetch_failed", "The path is no file")
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise FetchProblem("fetch_failed", f"The file cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise FetchProblem("image_too_large", f"The image has more than {max_bytes} bytes")
    return content
