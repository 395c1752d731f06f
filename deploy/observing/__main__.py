"""Run everything under steady load, ask every expression, draw the previews, break one thing after another.

    python -m deploy.observing [--short] [--only WORD] [--pictures DIR] [--data DIR]

At the pace of this run a minute of the rules is a second: windows, how long a condition must last, and ages compared
with are divided by 60. What belongs to the services is not: their timeouts, retries and the limits of their histograms.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from deploy.chromium import NoChromiumError
from deploy.observing.prometheus import missing_tools
from deploy.observing.running import Plan, observe
from deploy.observing.system import ObserveError
from services.local.folders import user_data_folder

INSTALL = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager"


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less load, and what breaks breaks at once")
    parser.add_argument("--only", default="", metavar="WORD", help="break only what has this word in its name")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw the previews here (needs chromium)")
    parser.add_argument(
        "--data", type=Path, default=user_data_folder(), help="folder with Kafka's jars (default: %(default)s)"
    )
    arguments = parser.parse_args()
    if missing := missing_tools():
        say(f"observe: {' and '.join(missing)} not found; install them:\n\n  {INSTALL}")
        return 1
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports each attempt to reach a broker that starts
    plan = Plan(arguments.short, arguments.only, arguments.pictures)
    with tempfile.TemporaryDirectory(prefix="huestream-observe-", ignore_cleanup_errors=True) as folder:
        try:
            outcome = asyncio.run(observe(Path(folder), arguments.data / "jars", plan, say))
        except (NoChromiumError, ObserveError) as error:
            say(f"observe: {error}")
            return 1
    print(outcome.text())
    return 1 if outcome.wrong() else 0


if __name__ == "__main__":
    sys.exit(main())
