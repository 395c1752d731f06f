"""`huestream submit`: a catalog in, its results out, with progress."""

import argparse
import asyncio
import os
import secrets
import sys
from pathlib import Path

from services.catalog import CatalogError
from services.submit.catalog import read_catalog
from services.submit.client import Patience, SubmitError, with_patience
from services.submit.results_file import ResultsFileError, check_writable, write_results
from services.submit.submitting import Outcome, submit_items
from services.submit.summary import summary_of
from services.terminal import ProgressBar, has_true_color, say

_EPILOG = """
the catalog:
  a CSV file in UTF-8 whose first line names the columns, in any order; others are ignored:

    image_path       http or https URL of the image (JPEG, PNG, WEBP or GIF)
    product_type     what it shows, such as Shirt
    hex_color_label  the color that the catalog claims, such as #FE2934
    category         such as Fashion
    custom_id        your own id of the row (may be left out)

example:
  export HUESTREAM_API_KEY=hue_...
  huestream submit catalog.csv --endpoint http://127.0.0.1:8080 --output results.csv

  After Ctrl-C the same command goes on where it was: the same rows are the same batches.

exit status:
  0  every image was classified or is reported as failed
  1  something could not be submitted or read; the message says what
  130  stopped by Ctrl-C
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("catalog", type=Path, metavar="CATALOG.csv", help="the images to submit")
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
    parser.add_argument(
        "--lenient", action="store_true", help="rows may lack hex_color_label and category; nothing is compared then"
    )
    parser.add_argument(
        "--again", action="store_true", help="classify rows once more that were submitted before: as new batches"
    )
    parser.add_argument(
        "--patience",
        type=_seconds,
        default=Patience().stalled,
        metavar="SECONDS",
        help="give a batch up that makes no progress for so long (default: %(default)g)",
    )


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
    except (CatalogError, SubmitError, ResultsFileError) as error:
        for line in str(error).splitlines():
            say(f"huestream: {line}", sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nhuestream: stopped; the same command goes on where it was", sys.stderr)
        return 130


def _run(arguments: argparse.Namespace) -> int:
    key = arguments.key or os.environ.get("HUESTREAM_API_KEY")
    if not key:
        raise SubmitError("no API key; give one with --key or in HUESTREAM_API_KEY")
    if arguments.output:
        check_writable(arguments.output)
    outcomes = _submit(arguments, key)
    if arguments.output:
        write_results(arguments.output, outcomes)
    say(summary_of(outcomes, colored=has_true_color(sys.stdout)))
    if arguments.output:
        say(f"\nresults: {arguments.output}")
    return 1 if any(outcome.trouble for outcome in outcomes) else 0


def _submit(arguments: argparse.Namespace, key: str) -> list[Outcome]:
    images = read_catalog(arguments.catalog, lenient=arguments.lenient)
    progress = ProgressBar(sys.stderr)
    try:
        return asyncio.run(
            submit_items(
                arguments.endpoint,
                key,
                images,
                progress,
                run=secrets.token_hex(8) if arguments.again else "",
                lenient=arguments.lenient,
                patience=with_patience(Patience(), arguments.patience),
            )
        )
    finally:
        progress.close()
