"""`python -m training`: make the shipped model file from the development photos, or one from a shop's own catalog."""

import argparse
import sys
from pathlib import Path

from training.catalogs import CatalogError
from training.model_file import SHIPPED, write_model
from training.recipes import from_development_sets, from_own_catalog


def main() -> int:
    """Read the arguments, build, write."""
    arguments = _parser().parse_args()
    try:
        if arguments.labels:
            arrays = from_own_catalog(arguments.labels, arguments.images, arguments.work, arguments.processes)
        else:
            arrays = from_development_sets(arguments.data, arguments.work, arguments.processes, arguments.held_out)
    except CatalogError as error:
        print(f"training: {error}", file=sys.stderr)
        return 2
    write_model(arrays, arguments.output)
    print(f"wrote {arguments.output} ({arguments.output.stat().st_size / 1024:.0f} KiB)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="folder of the development photos (color-dev)")
    source.add_argument("--labels", type=Path, help="CSV of your own labels: file, color[, product_type, category]")
    parser.add_argument("--images", type=Path, help="folder of the files that --labels names (default: where it lies)")
    parser.add_argument("--work", type=Path, default=Path("build/training"), help="folder of what the steps keep")
    parser.add_argument("--output", type=Path, default=SHIPPED, help="model file to write (default: the shipped one)")
    parser.add_argument("--processes", type=int, default=2, help="how many processes look at photos")
    parser.add_argument(
        "--held-out", type=Path, help="with --data: write the answers about photos held out, as JSON lines"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
