import signal

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from tests.sharing import BySharing, place_of

pytest_plugins = ["tests.kafka_fixtures"]

# A shell starts background jobs with Ctrl-C ignored, which all that they start inherit: tests of Ctrl-C would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in each run, so that a change is judged by what it changes; and no verdict on the machine's speed.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> BySharing:
    """Hand out tests by what they share (the marks of `--dist=loadgroup` do not reach pytest 9.2)."""
    config.option.loadscopereorder = False
    return BySharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes long come first, so that no process is left with it at the end."""
    items.sort(key=lambda item: place_of(item.nodeid))
