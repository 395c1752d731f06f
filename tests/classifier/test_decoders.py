"""Children that decode: killable, limited, replaced; an image lost at most."""

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from schemas.events import ImageFields
from services.classifier.decoder_usage import usage_of
from services.classifier.decoders import Decoders, decoders
from services.classifier.problems import DecodeProblem
from services.classifier.settings import ClassifierSettings
from tests.classifier import bombs

SHIRT = ImageFields(image_path="http://host.example/a.jpg", product_type="Shirt", hex_color_label="#C81E28")


def photo(kind: str = "JPEG", side: int = 300) -> bytes:
    content = io.BytesIO()
    noise = np.random.default_rng(side).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(content, kind)
    return content.getvalue()


PHOTO = photo()


@asynccontextmanager
async def running(**changes: object) -> AsyncIterator[Decoders]:
    async with decoders(ClassifierSettings.model_validate({"decode_timeout_seconds": 10} | changes)) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Decoders]:
    """Decoders for all tests that do not look at processes; each start costs most of a second."""
    async with running() as found:
        yield found


on_the_loop_of_the_shared = pytest.mark.asyncio(loop_scope="module")


async def code(found: Decoders, content: bytes) -> str:
    try:
        await found.analyze(SHIRT, content, "one")
    except DecodeProblem as problem:
        return problem.code
    return "classified"


@pytest.fixture
def ours() -> Callable[[], list[int]]:
    """The processes that the test started, beside those that run for other tests: the nursery, then its children."""
    others = frozenset(children_of(os.getpid()))
    return lambda: [process for process in children_of(os.getpid()) if process not in others]


def children_of(process: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            child = int(stat.parent.name)
            found += [child, *children_of(child)]
    return found


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


@on_the_loop_of_the_shared
async def test_an_image_comes_back_as_its_classification(shared: Decoders) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        classification = await shared.analyze(SHIRT, photo(kind), "one")
        assert classification.label is not None


@on_the_loop_of_the_shared
async def test_what_is_wrong_with_an_image_comes_back_by_name(shared: Decoders) -> None:
    assert await code(shared, b"no image") == "image_unsupported_format"
    assert await code(shared, PHOTO[:3000]) == "image_corrupt"
    assert await code(shared, photo(side=20)) == "classified"


@on_the_loop_of_the_shared
async def test_large_contents_pass_whole(shared: Decoders) -> None:
    content = photo("PNG", 1500)
    assert len(content) > 6_000_000
    assert await code(shared, content) == "classified"


@on_the_loop_of_the_shared
async def test_many_at_once_all_end(shared: Decoders) -> None:
    ends = await asyncio.gather(*(code(shared, PHOTO if n % 3 else b"x") for n in range(100)))
    assert ends.count("classified") == 66


async def test_a_killed_child_costs_nothing_when_the_second_try_succeeds(ours: Callable[[], list[int]]) -> None:
    async with running() as found:
        assert await code(found, PHOTO) == "classified"
        nursery, child = ours()
        os.kill(child, signal.SIGKILL)
        assert await code(found, PHOTO) == "classified"
        assert ours()[0] == nursery


async def test_a_killed_nursery_costs_nothing_either(ours: Callable[[], list[int]]) -> None:
    async with running() as found:
        assert await code(found, PHOTO) == "classified"
        nursery, _ = ours()
        os.kill(nursery, signal.SIGKILL)
        assert [await code(found, PHOTO) for _ in range(3)] == ["classified"] * 3


async def test_a_child_that_hangs_is_killed_in_time_and_costs_one_image(ours: Callable[[], list[int]]) -> None:
    async with running(decode_timeout_seconds=2) as found:
        assert await code(found, PHOTO) == "classified"
        _, child = ours()
        os.kill(child, signal.SIGSTOP)
        async with asyncio.timeout(
            30
        ):  # of a machine that does other things too; a child that is stopped hangs for ever
            assert await code(found, PHOTO) == "decode_timeout"
        assert await code(found, PHOTO) == "classified"
        assert child not in ours()


async def test_a_child_knows_no_secret_of_ours(ours: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUESTREAM_SMTP_PASSWORD", "hidden")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    async with running():
        for process in ours():
            assert b"hidden" not in environment_of(process)


@on_the_loop_of_the_shared
async def test_what_waits_behind_one_inference_is_served_in_turn(shared: Decoders) -> None:
    order: list[str] = []

    async def one(owner: str) -> None:
        await shared.analyze(SHIRT, PHOTO, owner)
        order.append(owner)

    await asyncio.gather(*(one("many") for _ in range(30)), one("few"))
    assert order.index("few") <= 3


async def test_a_child_is_replaced_after_its_number_of_images(ours: Callable[[], list[int]]) -> None:
    async with running(decoder_images=2) as found:
        seen = set()
        for _ in range(6):
            assert await code(found, PHOTO) == "classified"
            seen.update(ours()[1:])
    assert len(seen) >= 2


async def test_nothing_is_left_behind(ours: Callable[[], list[int]]) -> None:
    async with running() as found:
        await code(found, PHOTO)
        assert len(ours()) == 2
    assert ours() == []


@on_the_loop_of_the_shared
@pytest.mark.parametrize("name", sorted(bombs.BOMBS))
async def test_each_bomb_ends_in_a_named_error_or_in_time(shared: Decoders, name: str) -> None:
    bomb = bombs.BOMBS[name]()
    async with asyncio.timeout(30):  # the limit, and a new child on a machine that does other things too
        assert await code(shared, bomb) in bombs.ENDS[name]
    assert await code(shared, PHOTO) == "classified"


@on_the_loop_of_the_shared
async def test_a_canceled_analysis_leaves_no_half_request_behind(shared: Decoders) -> None:
    task = asyncio.create_task(shared.analyze(SHIRT, photo("PNG", 1500), "one"))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await code(shared, PHOTO) == "classified"


async def test_a_nursery_that_is_killed_while_it_starts_is_started_again(ours: Callable[[], list[int]]) -> None:
    async def kill_the_first() -> None:
        while not (found := ours()):  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.01)
        os.kill(found[0], signal.SIGKILL)

    killing = asyncio.create_task(kill_the_first())
    async with running() as found:
        assert await code(found, PHOTO) == "classified"
    await killing


async def test_what_decoding_takes_is_seen_the_dead_included() -> None:
    async with running() as found:
        assert found.nursery_id is not None
        before = usage_of(found.nursery_id)
        assert before.memory_bytes > 20_000_000
        for _ in range(20):
            await code(found, PHOTO)
        after = usage_of(found.nursery_id)
        assert after.cpu_seconds > before.cpu_seconds
        found.close()  # its child ends; the next one is forked, and the dead one buried
        await code(found, PHOTO)
        assert usage_of(found.nursery_id).cpu_seconds >= after.cpu_seconds
