"""`huestream analyze`: photos of this machine in, one JSON object a line out."""

import argparse
import io
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from services.analyze.images import LocalImage, images_of_files, images_of_manifest
from services.catalog import CatalogError
from services.progress import Progress
from services.terminal import ProgressBar, say

if TYPE_CHECKING:
    from services.analyze.analyzing import Line

_REDRAW_SECONDS: Final = 0.1
_EPILOG: Final = """
the manifest:
  a CSV file in UTF-8 whose first line names the columns, in any order; others are ignored:

    image_path       the file, relative to the folder of the manifest
    product_type     what it shows, such as Shirt: the color of that is found
    hex_color_label  the color that the catalog claims, such as #FE2934: it is compared
    category         such as Fashion
    custom_id        your own id of the row

  Only image_path is needed.

the output:
  one JSON object a line, in the order of the input, shaped as an item of an inference's results: the input,
  status, classification or error {code, message}. A file that cannot be read is such an error too.

examples:
  huestream analyze shirt.jpg --product-type Shirt
  huestream analyze photos/*.jpg --output colors.jsonl
  huestream analyze --manifest catalog.csv --output colors.jsonl

exit status:
  0  every line was written, also those of images that failed
  1  the manifest or the model cannot be read or the output cannot be written; the message says what
  130  stopped by Ctrl-C; the lines that were written stay
"""


class _OutputError(Exception):
    """The lines cannot be written; the message is one sentence."""


class _RefineError(Exception):
    """The model of `--refine` cannot be used; the message is one sentence."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "huestream analyze (FILE [FILE ...] | --manifest FILE.csv) [--output FILE.jsonl]"
    parser.epilog = _EPILOG
    parser.add_argument("files", nargs="*", metavar="FILE", help="images to analyze: JPEG, PNG, WEBP or GIF")
    parser.add_argument("--manifest", type=Path, metavar="FILE.csv", help="the images, and what is said of each")
    parser.add_argument("--output", type=Path, metavar="FILE.jsonl", help="write the lines here, not to the terminal")
    parser.add_argument("--product-type", metavar="TEXT", help="what all FILEs show, such as Shirt")
    parser.add_argument(
        "--processes",
        dest="workers",  # "processes" is what runs a service several times
        type=_count,
        default=_cores(),
        metavar="N",
        help="processes that analyze beside each other (default: %(default)s, the cores that may be used)",
    )
    parser.add_argument(
        "--refine",
        type=Path,
        metavar="FILE.onnx",
        help="u2netp.onnx: look a second time where an answer is not sure, at 0.4 s each (needs huestream[refine])",
    )
    parser.set_defaults(refuse=parser.error)


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError("expected 1 to 256 processes")
    return number


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(arguments: argparse.Namespace) -> int:
    """Analyze the images; returns the exit status."""
    if bool(arguments.files) == bool(arguments.manifest):
        arguments.refuse("name image files, or a manifest with --manifest; one of the two")
    if arguments.manifest and arguments.product_type:
        arguments.refuse("--product-type is for FILEs; a manifest has a column for it")
    try:
        _run(arguments)
    except (CatalogError, _OutputError, _RefineError) as error:
        for line in str(error).splitlines():
            say(f"huestream: {line}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nhuestream: stopped; the lines that were written are whole", sys.stderr)
        return 130
    return 0


def _run(arguments: argparse.Namespace) -> None:
    images = (
        images_of_manifest(arguments.manifest)
        if arguments.manifest
        else images_of_files(arguments.files, arguments.product_type)
    )
    if arguments.output and _is_input(arguments.output, arguments.manifest, images):
        raise _OutputError(f"{arguments.output} is one of the inputs; name another file")
    if arguments.refine:
        _check_refine_model(arguments.refine)
    with _opened(arguments.output) as output:
        bar = ProgressBar(sys.stderr) if sys.stderr.isatty() and not output.isatty() else None
        try:
            for line in _shown(_lines(images, arguments.workers, arguments.refine), len(images), bar):
                output.write(f"{line.text}\n")
                output.flush()
        finally:
            if bar:
                bar.close()


def _is_input(output: Path, manifest: Path | None, images: Iterable[LocalImage]) -> bool:
    """Say whether writing there would destroy an input; links to one under another name are the user's to know."""
    alike = [path for path in (manifest, *(image.file for image in images)) if path and path.name == output.name]
    return output.exists() and any(path.exists() and path.samefile(output) for path in alike)


def _check_refine_model(model: Path) -> None:
    from services.classifier.refine_model import RefineModelError, check_refine_model  # noqa: PLC0415  # as below

    try:
        check_refine_model(model)
    except RefineModelError as error:
        raise _RefineError(f"--refine: {error}") from error


def _lines(images: Sequence[LocalImage], processes: int, refine_model: Path | None) -> "Iterator[Line]":
    """Import what analyzes only now: --help and a wrong manifest need none of it."""
    from services.analyze.analyzing import line_of  # noqa: PLC0415

    work = partial(line_of, refine_model=refine_model)
    if len(images) == 1:
        return iter([work(0, images[0])])
    from services.analyze.workers import lines_of  # noqa: PLC0415

    return lines_of(images, processes, work)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Open the output; raises `_OutputError` when it cannot be opened or written."""
    try:
        if path is None:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8")  # as JSON is, whatever the terminal's locale
            yield sys.stdout
        else:
            with path.open("w", encoding="utf-8", newline="\n") as output:
                yield output
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more
        raise _OutputError("the reader of the output went away before all lines were written") from error
    except OSError as error:
        raise _OutputError(f"{path or 'the output'} cannot be written: {error.strerror}") from error


def _shown(lines: "Iterable[Line]", total: int, bar: ProgressBar | None) -> "Iterator[Line]":
    """Pass lines on and show how far it is, a few times a second."""
    counts, drawn_at = [0, 0], 0.0
    for line in lines:
        yield line
        counts[line.succeeded] += 1
        now = time.monotonic()
        if bar and (sum(counts) == total or now - drawn_at >= _REDRAW_SECONDS):
            bar(Progress(total, succeeded=counts[True], failed=counts[False]))
            drawn_at = now
