"""A reporter that is ended at a step of a batch's end: the next one leaves as many mails as the table says.

The other steps are in test_delivering.py; `python -m tests.reporter.crashes --steps` does all of them with processes.
"""

import signal
from collections.abc import Iterator

import pytest

from services.reporter.failpoints import Step
from tests.kafka_fixtures import RunningKafka
from tests.reporter.smtp_sink import Sink, answering
from tests.reporter.world import World, lines_of, new_batch, results_of, world_around

pytestmark = pytest.mark.system
EXPECTED: dict[Step, tuple[int, int]] = {
    "M1": (1, 1),
    "M2": (1, 1),
    "M3": (1, 1),
    "M4": (0, 0),
    "M5": (1, 1),
    "M6": (1, 2),
    "M7": (2, 2),
    "M8": (1, 1),
}
"""For each step the least and the most mails."""


@pytest.fixture(scope="module")
def world(reporters_kafka: RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_around(reporters_kafka, tmp_path_factory.mktemp("failpoints")) as world:
        yield world


def mails_after_an_end_at(world: World, step: Step) -> int:
    """End a reporter at a step, start another one, and count the mails of the batch when it is finished."""
    sink: Sink = world.sink
    sink.say = answering({"rcpt": "550 no such address"} if step == "M4" else {})
    submitted = new_batch(3)
    dying = world.start("dying", failpoint=step)
    world.publish(submitted, *results_of(submitted))
    assert dying.wait_until_ended(60) == -signal.SIGKILL, dying.log.read_text()[-3000:]
    world.start("next").wait_until_ready()
    status = world.wait_until_finished([submitted.inference_id])[submitted.inference_id]
    world.end()
    assert status.email_status == ("failed" if step == "M4" else "sent")
    contents = sink.contents(submitted.inference_id)
    assert len(set(contents)) <= 1
    assert all(len(lines_of(content)) == 3 for content in contents)
    return len(contents)


@pytest.mark.parametrize("step", ["M1", "M4", "M6", "M7", "M8"])
def test_a_step_leaves_its_mails(world: World, step: Step) -> None:
    least, most = EXPECTED[step]
    assert least <= mails_after_an_end_at(world, step) <= most
