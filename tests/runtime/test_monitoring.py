"""Nobody who asks for health or metrics can harm the service."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from services.runtime.monitoring import MAX_CONNECTIONS, Exposition, Health, monitoring
from services.runtime.settings import SettingsError


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def server(health: Health) -> AsyncIterator[str]:
    async with monitoring("127.0.0.1", 0, health) as url:
        yield url.removesuffix("/metrics")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def said(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with session.get(url) as reply:
        return reply.status, (await reply.text()).strip()


async def test_a_service_lives_while_it_starts(server: str, session: aiohttp.ClientSession, health: Health) -> None:
    assert await said(session, f"{server}/healthz") == (200, "ok")
    assert await said(session, f"{server}/startupz") == (503, "starting")
    assert await said(session, f"{server}/readyz") == (503, "starting")
    health.started(ready=lambda: "no partitions are assigned", alive=lambda: None)
    assert await said(session, f"{server}/startupz") == (200, "ok")
    assert await said(session, f"{server}/readyz") == (503, "no partitions are assigned")
    assert await said(session, f"{server}/healthz") == (200, "ok")


async def test_the_metrics_say_how_the_probes_are(server: str, session: aiohttp.ClientSession, health: Health) -> None:
    health.started(ready=lambda: "no", alive=lambda: None)
    _, text = await said(session, f"{server}/metrics")
    assert 'huestream_probe_success{probe="startup"} 1.0' in text
    assert 'huestream_probe_success{probe="readiness"} 0.0' in text


async def test_openmetrics_is_written_where_it_is_asked_for(server: str, session: aiohttp.ClientSession) -> None:
    async with session.get(
        f"{server}/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"}
    ) as got:
        assert got.content_type == "application/openmetrics-text"
        assert list(text_string_to_metric_families(await got.text()))
    for accept in ("text/plain;version=x", "*/*", "application/x;version=;;", ""):
        async with session.get(f"{server}/metrics", headers={"Accept": accept}) as got:
            assert (got.status, got.content_type) == (200, "text/plain")


async def test_what_is_not_there_is_said_to_be_not_there(server: str, session: aiohttp.ClientSession) -> None:
    assert (await said(session, f"{server}/metrics/../etc/passwd"))[0] == 404
    async with session.post(f"{server}/metrics", data=b"x" * 100_000) as reply:
        assert reply.status == 405


class Counting:
    """A source of metrics that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def collect(self) -> Iterable[Metric]:
        self.asked += 1
        yield GaugeMetricFamily("asked", "How often", value=self.asked)


def test_a_thousand_scrapes_at_once_write_the_metrics_once(health: Health) -> None:
    registry, source = CollectorRegistry(), Counting()
    registry.register(source)  # type: ignore[arg-type]  # it does what a collector does
    asked_before, began = source.asked, time.monotonic()
    exposition = Exposition(health, registry)
    for _ in range(1000):
        exposition.response("")
    assert source.asked - asked_before <= 1 + (time.monotonic() - began)


async def hanging(server: str, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = server.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(request)
    return reader, writer


@pytest.mark.parametrize("request_begun", [b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_scrapers_that_hang_keep_nobody_out(
    server: str, session: aiohttp.ClientSession, request_begun: bytes
) -> None:
    hung = [await hanging(server, request_begun) for _ in range(3 * MAX_CONNECTIONS)]
    try:
        assert (await said(session, f"{server}/healthz"))[0] == 200
        status, text = await said(session, f"{server}/metrics")
        assert status == 200
        if not request_begun.endswith(b"\r\n\r\n"):
            assert "huestream_monitoring_connections_refused_total 0.0" not in text
    finally:
        for _, writer in hung:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_hundred_scrapes_are_answered_twenty_at_a_time(server: str, session: aiohttp.ClientSession) -> None:
    for _ in range(5):
        answers = await asyncio.gather(*(said(session, f"{server}/metrics") for _ in range(20)))
        assert {status for status, _ in answers} == {200}


@pytest.mark.parametrize("request_begun", [b"", b"GET /met"])
async def test_a_connection_that_hangs_is_ended(health: Health, request_begun: bytes) -> None:
    async with monitoring("127.0.0.1", 0, health, connection_seconds=0.2) as url:
        reader, writer = await hanging(url.removesuffix("/metrics"), request_begun)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_a_port_that_is_taken_is_said_in_one_sentence(server: str) -> None:
    port = int(server.rpartition(":")[2])
    with pytest.raises(SettingsError, match=f"HUESTREAM_METRICS_PORT: 127.0.0.1:{port} cannot be listened on: Address"):
        async with monitoring("127.0.0.1", port, Health()):
            pass
