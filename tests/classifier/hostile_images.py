"""Odd, broken and hostile files through a whole classifier: what came of each, how long it took, how much memory."""

import asyncio
import csv
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aiohttp import web

from tests.classifier import bombs
from tests.classifier.running import Running, classifier, prepare, results_of, send, submitted

LOOPBACK = {"environment": "development", "allow_networks": "127.0.0.0/8"}


@dataclass(frozen=True)
class Seen:
    """One run."""

    outcomes: Counter[str]
    unlike_classified: Mapping[str, str]
    seconds: Mapping[str, float]
    """By file, from the record to its result."""
    peak_megabytes: Mapping[str, float]
    """Of the consumer, and of the largest decoding process."""


def files(corpus: Path) -> dict[str, bytes]:
    """The corpus and the bombs, by name."""
    with (corpus / "manifest.csv").open(newline="") as manifest:
        names = [row["file"] for row in csv.DictReader(manifest)]
    found = {name: (corpus / name).read_bytes() for name in names if (corpus / name).exists()}
    return found | {f"bombs/{name}": make() for name, make in bombs.BOMBS.items()}


@contextmanager
def serving(contents: Mapping[str, bytes]) -> Iterator[str]:
    """Serve contents by their number in order; gives the URL before the number."""
    bodies = list(contents.values())

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bodies[int(request.match_info["number"])], content_type="image/jpeg")

    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_get("/{number}", answer)
    runner = web.AppRunner(app, access_log=None)
    loop.run_until_complete(runner.setup())
    loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def processes_below(process: int) -> list[int]:
    """A process and all that it started."""
    found = [process]
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = thread.read_text().split()
        except OSError:
            continue
        for child in children:
            found += processes_below(int(child))
    return found


def peak_megabytes(process: int) -> float:
    """The most memory that a process ever had resident; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


class MemoryWatch:
    """Looks at a process and its children ten times a second, for children that do not live long."""

    def __init__(self, running: Running) -> None:
        self.peaks = {"consumer": 0.0, "decoder": 0.0}
        self._process = running.process.pid
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(0.1):
            consumer, *children = processes_below(self._process)
            self.peaks["consumer"] = max(self.peaks["consumer"], peak_megabytes(consumer))
            self.peaks["decoder"] = max([self.peaks["decoder"], *map(peak_megabytes, children)])


def run(servers: str, folder: Path, contents: Mapping[str, bytes], at_once: int = 1, **settings: object) -> Seen:
    """Send all contents through a classifier, one at a time or a few; an image then also waits for the others."""
    names = list(contents)
    with serving(contents) as url:
        asyncio.run(prepare(servers))
        events = submitted([f"{url}{number}" for number in range(len(names))], "images")
        with classifier(servers, folder, **LOOPBACK, in_flight=at_once, **settings) as running:
            with MemoryWatch(running) as memory:
                asyncio.run(send(servers, events))
                found = asyncio.run(results_of(servers, len(events), 600, only=events))
            lines = running.log_lines()
        assert not any(line["event"] == "classification_failed" for line in lines)
    by_key = {(event["inference_id"], event["index"]): name for event, name in zip(events, names, strict=True)}
    return Seen(
        outcomes=found.outcomes(),
        unlike_classified={
            by_key[key]: result.error.code for key, result in found.results.items() if result.error is not None
        },
        seconds={
            by_key[line["inference_id"], line["index"]]: line["seconds"]
            for line in lines
            if line["event"] == "image_classified"
        },
        peak_megabytes=memory.peaks,
    )
