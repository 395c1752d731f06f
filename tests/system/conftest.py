"""What the tests of the whole system share: one that runs, until the last of them has ended, and image hosts."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image_host import ImageHost, image_host
from tests.stack_fixtures import Stack, start_stack

KEPT_LOGS = Path(__file__).parents[2] / "build" / "logs-of-failed-tests"


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One for all tests that leave it as they found it; its logs are kept when one of them fails."""
    with tempfile.TemporaryDirectory(prefix="huestream-", ignore_cleanup_errors=True) as folder:
        running = start_stack(Path(folder))
        try:
            yield running
            running.assert_no_batch_was_mailed_twice()
        finally:
            running.kill()
            if request.session.testsfailed:
                shutil.copytree(Path(folder, "logs"), KEPT_LOGS, dirs_exist_ok=True)


@pytest.fixture(scope="package")
def host() -> Iterator[ImageHost]:
    with image_host() as host:
        yield host


@pytest.fixture(scope="package")
def slow_host() -> Iterator[ImageHost]:
    """One that takes its time, so that something can happen halfway."""
    with image_host(delay_seconds=0.4) as host:
        yield host
