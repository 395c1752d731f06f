"""Image hosts for the tests of the whole system."""

from collections.abc import Iterator

import pytest

from tests.image_host import ImageHost, image_host


@pytest.fixture(scope="package")
def host() -> Iterator[ImageHost]:
    with image_host() as host:
        yield host


@pytest.fixture(scope="package")
def slow_host() -> Iterator[ImageHost]:
    """One that takes its time, so that something can happen halfway."""
    with image_host(delay_seconds=0.4) as host:
        yield host
