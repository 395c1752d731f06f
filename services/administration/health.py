"""`huestream health`: ask the service of this container or machine how it is, for health checks without a shell."""

import argparse
import os
import sys
import urllib.error
import urllib.request
from typing import Final

from services.administration.connecting import say

_TIMEOUT_SECONDS: Final = 4.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    parser.add_argument("--ready", action="store_true", help="ask whether it can work, not only whether it lives")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("HUESTREAM_METRICS_PORT", "0"),
        help="port of /healthz and /readyz (default: HUESTREAM_METRICS_PORT)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask once; exit status 1 when it does not answer, or not well."""
    url = f"http://127.0.0.1:{arguments.port}/{'readyz' if arguments.ready else 'healthz'}"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as reply:
            say(reply.read(1000).decode().strip())
    except urllib.error.HTTPError as error:
        with error:
            sys.stderr.write(f"huestream: {error.read(1000).decode().strip()}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"huestream: nothing answers on port {arguments.port}: {error}\n")
        return 1
    return 0
