"""A fresh process: seconds from the first import to the first answer, and megabytes of one that classifies.

Reads a JPEG from standard input and prints two numbers; `color_speed.py` runs it.
"""

import sys
import time
from pathlib import Path

ANSWERS = 50


def resident_megabytes() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    content = sys.stdin.buffer.read()
    began = time.process_time()
    from services.analyze.images import LocalImage  # noqa: PLC0415  # the import is what is measured
    from services.classifier.answers import analyze_bytes  # noqa: PLC0415

    image = LocalImage(Path(), "", "Shirt", "#AA3344", "Fashion")
    analyze_bytes(image, content, 50_000_000)
    first = time.process_time() - began
    import services.classifier.main  # noqa: F401, PLC0415  # what a classifier process holds besides

    for _ in range(ANSWERS):
        analyze_bytes(image, content, 50_000_000)
    print(first, resident_megabytes())


if __name__ == "__main__":
    main()
