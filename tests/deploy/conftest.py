"""The image, built once for all tests of it."""

import pytest

from tests.deploy.podman import Podman, build, ensure_base, open_podman


@pytest.fixture(scope="session")
def podman() -> Podman:
    """Podman with the image in it; skips by name where that cannot be."""
    opened = open_podman()
    ensure_base(opened)
    build(opened)
    return opened
