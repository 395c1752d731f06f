"""Which tests run in one process, one after another, when several processes run them; what takes long comes first.

Tests of a file stay together, and so do the files that share something costly: a running system, replicas, an image.
"""

from typing import Final

from xdist.scheduler import LoadScopeScheduling

SHARED: Final = {
    "tests/system/": "the running system",
    "tests/ingest/": "three replicas",
    "tests/reporter/": "the reporters' broker",
    "tests/classifier/test_": "the classifiers' broker",
    "tests/browser/": "the browser",
    "tests/deploy/test_": "the image",
    "tests/administration/test_keys.py": "any broker",
    "tests/local/kafka/test_undeclared_topics.py": "any broker",
    "tests/schemas/test_on_kafka.py": "any broker",
    "tests/classifier/color/test_drawn_products.py": "the drawings",
    "tests/demo/test_offer.py": "the drawings",
}
ALONE: Final = (
    "tests/system/test_demo.py",
    "tests/system/test_local.py",
    "tests/system/test_observing.py",
    "tests/system/test_rolling_restart.py",
    "tests/system/test_secure.py",
    "tests/system/test_three_brokers.py",
)
"""Files that lie beside those that share something and have a system of their own."""
BEFORE: Final = ("tests/ingest/test_description.py",)
"""Files of a group that need less than the others of it: what they do not need is not started yet."""
FIRST: Final = ("tests/system/", "tests/ingest/", "tests/reporter/", "tests/classifier/", "tests/deploy/")


def group_of(nodeid: str) -> str:
    """Name what runs together with a test."""
    path = nodeid.partition("::")[0]
    shared = (group for prefix, group in SHARED.items() if path.startswith(prefix) and path not in ALONE)
    return next(shared, path)


def place_of(nodeid: str) -> tuple[int, bool]:
    """Say how early a test is to run; those that share a folder's system end it, so that it idles for nobody."""
    folder = next((place for place, prefix in enumerate(FIRST) if nodeid.startswith(prefix)), len(FIRST))
    return folder, nodeid.partition("::")[0] not in (*ALONE, *BEFORE)


class BySharing(LoadScopeScheduling):
    """Hands out groups in the order in which their tests were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
