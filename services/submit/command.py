"""`huestream submit`: a catalog in, its results out, with progress."""

import argparse
import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from huestream import HuestreamError, KeyRefusedError, Patience
from schemas.events import ImageFields
from services.catalog import COLUMNS, CatalogError
from services.submit.catalog import Catalog, Wanted, read_catalog
from services.submit.file_host import FileHost, FileHostError
from services.submit.results_file import ResultsFileError, check_writable, write_results
from services.submit.submitting import Outcome, replaced, submit_items, unreached
from services.submit.summary import mismatches_of, summary_of
from services.terminal import ProgressBar, has_true_color, say

_OK: Final = 0
_TROUBLE: Final = 1
_FINDINGS: Final = 3
_STOPPED: Final = 130
_SHOWN: Final = 20
_PAGES_SHOWN: Final = 4
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_EPILOG = """
the catalog:
  CSV (comma, semicolon or tab; UTF-8 or UTF-16) whose first line names the columns, in any order, a JSON list of
  objects, or one JSON object a line (.json, .ndjson, .jsonl); what is not named here is ignored:

    image_path       http or https URL of the image (JPEG, PNG, WEBP or GIF)
    product_type     what it shows, such as Shirt
    hex_color_label  the color that the catalog claims, such as #FE2934
    category         such as Fashion
    custom_id        your own id of the row (may be left out)

example:
  export HUESTREAM_API_KEY=hue_...
  huestream submit catalog.csv --endpoint http://127.0.0.1:8080 --output results.csv
  huestream submit export.csv --column image_path=Photo --column hex_color_label="Color code" --output results.csv

  After Ctrl-C the same command goes on where it was: the same rows are the same batches.

exit status:
  0  every image was classified or is reported as failed
  1  something could not be submitted or read; the message says what
  3  with --strict: a label differs from its image, or an image failed
  130  stopped by Ctrl-C
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("catalog", type=Path, metavar="CATALOG", help="the images to submit")
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        default=os.environ.get("HUESTREAM_ENDPOINT", "http://127.0.0.1:8080"),
        help="where huestream runs (default: HUESTREAM_ENDPOINT, or http://127.0.0.1:8080)",
    )
    parser.add_argument(
        "--key", metavar="KEY", help="API key (default: HUESTREAM_API_KEY, which other users of the machine cannot see)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the results here: .csv, .json or .ndjson")
    _configure_reading(parser)
    parser.add_argument(
        "--again", action="store_true", help="classify rows once more that were submitted before: as new batches"
    )
    parser.add_argument("--strict", action="store_true", help="exit with 3 where a label differs or an image failed")
    parser.add_argument(
        "--patience",
        type=_seconds,
        default=Patience().stalled,
        metavar="SECONDS",
        help="give a batch up that makes no progress for so long (default: %(default)g)",
    )


def _configure_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--column",
        type=_column,
        action="append",
        default=[],
        metavar="MEMBER=NAME",
        help="what the catalog calls a member, such as image_path=Photo; may be repeated",
    )
    parser.add_argument(
        "--lenient", action="store_true", help="rows may lack hex_color_label and category; nothing is compared then"
    )
    parser.add_argument("--skip-broken", action="store_true", help="leave out rows that are broken, and name them")
    parser.add_argument(
        "--buckets",
        action="store_true",
        help="image_path may be an object such as s3://shop/a.jpg, where the endpoint reads images of buckets",
    )
    parser.add_argument(
        "--files",
        type=Path,
        metavar="FOLDER",
        help="image_path may name a file of this folder, for a huestream of this machine: it is served on loopback",
    )


def _column(text: str) -> tuple[str, str]:
    member, _, name = text.partition("=")
    if member not in COLUMNS or not name.strip():
        raise argparse.ArgumentTypeError(f"expected MEMBER=NAME with one of {', '.join(COLUMNS)}")
    return member, name


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 1 <= number <= 86_400:
        raise argparse.ArgumentTypeError("expected 1 to 86400 seconds")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Submit the catalog; returns the exit status."""
    try:
        return _run(arguments)
    except KeyRefusedError as error:
        say(f"huestream: {error}; give one that is valid with --key or HUESTREAM_API_KEY", sys.stderr)
        return _TROUBLE
    except (CatalogError, HuestreamError, FileHostError, ResultsFileError) as error:
        for line in str(error).splitlines():
            say(f"huestream: {line}", sys.stderr)
        return _TROUBLE
    except KeyboardInterrupt:
        say("\nhuestream: stopped; the same command goes on where it was", sys.stderr)
        return _STOPPED


def _run(arguments: argparse.Namespace) -> int:
    key = arguments.key or os.environ.get("HUESTREAM_API_KEY")
    if not key:
        raise CatalogError(["no API key; give one with --key or in HUESTREAM_API_KEY"])
    if arguments.output:
        check_writable(arguments.output)
    catalog, outcomes = asyncio.run(_submit(arguments, key))
    if arguments.output:
        write_results(arguments.output, outcomes)
    say(summary_of(outcomes, colored=has_true_color(sys.stdout)))
    if arguments.output:
        say(f"\nresults: {arguments.output}")
    _tell_pages(arguments.endpoint, outcomes)
    return _status(catalog, outcomes, strict=arguments.strict)


def _tell_pages(endpoint: str, outcomes: Sequence[Outcome]) -> None:
    """Say where the results can be looked at, where that is not too many places."""
    pages = dict.fromkeys(outcome.page for outcome in outcomes if outcome.page)
    if len(pages) <= _PAGES_SHOWN:
        for page in pages:
            say(f"to look at: {endpoint.rstrip('/')}{page}")


def _status(catalog: Catalog, outcomes: Sequence[Outcome], *, strict: bool) -> int:
    if catalog.broken or any(outcome.trouble for outcome in outcomes):
        return _TROUBLE
    failed = any(outcome.result and outcome.result.status == "failed" for outcome in outcomes)
    return _FINDINGS if strict and (failed or mismatches_of(outcomes)) else _OK


async def _submit(arguments: argparse.Namespace, key: str) -> tuple[Catalog, list[Outcome]]:
    async with AsyncExitStack() as stack:
        host = await _file_host(arguments, stack) if arguments.files else None
        wanted = Wanted(
            buckets=arguments.buckets,
            lenient=arguments.lenient,
            columns=dict(arguments.column),
            skip_broken=arguments.skip_broken,
            address_of=host.address_of if host else None,
        )
        catalog = await asyncio.to_thread(read_catalog, arguments.catalog, wanted)
        _tell_broken(catalog)
        return catalog, await _followed(arguments, key, catalog)


async def _file_host(arguments: argparse.Namespace, stack: AsyncExitStack) -> FileHost:
    if urlsplit(arguments.endpoint).hostname not in _LOOPBACK:
        raise FileHostError("--files is for a huestream of this machine; another one cannot fetch from here")
    host = FileHost(arguments.files)
    await stack.enter_async_context(host.serving())
    return host


def _tell_broken(catalog: Catalog) -> None:
    for problem in catalog.broken[:_SHOWN]:
        say(f"left out: {problem}", sys.stderr)
    if len(catalog.broken) > _SHOWN:
        say(f"and {len(catalog.broken) - _SHOWN} more", sys.stderr)


async def _followed(arguments: argparse.Namespace, key: str, catalog: Catalog) -> list[Outcome]:
    run = secrets.token_hex(8) if arguments.again else ""
    outcomes = await _submitted(arguments, key, catalog.images, run)
    if arguments.files and (missed := unreached(outcomes)):
        say(f"{len(missed)} files were asked for while nobody served them; once more", sys.stderr)
        outcomes = replaced(outcomes, await _submitted(arguments, key, missed, f"{run}once more"))
    return outcomes


async def _submitted(arguments: argparse.Namespace, key: str, images: Sequence[ImageFields], run: str) -> list[Outcome]:
    patience = Patience()
    stalled = arguments.patience
    progress = ProgressBar(sys.stderr)
    try:
        return await submit_items(
            arguments.endpoint,
            key,
            images,
            progress,
            run=run,
            lenient=arguments.lenient,
            patience=replace(patience, stalled=stalled, busy=min(patience.busy, stalled)),
        )
    finally:
        progress.close()
