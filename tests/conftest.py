import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.kafka_fixtures", "tests.stack_fixtures"]

# A shell starts background jobs with Ctrl-C ignored, which all that they start inherit: tests of Ctrl-C would wait.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in each run, so that a change is judged by what it changes; and no verdict on the machine's speed.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together when several processes run them, and all that share one podman."""
    for item in items:
        group = "podman" if "podman" in getattr(item, "fixturenames", ()) else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
