"""Previews of the dashboards: drawn by us from live data, since Grafana draws them its own way."""

import asyncio
import io
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from PIL import Image
from playwright.async_api import Browser

from deploy.chromium import chromium_browser
from deploy.observing.charts import PALETTE, Series
from deploy.observing.checking import STEP, concrete
from deploy.observing.preview_html import WIDTH, key, page
from deploy.observing.prometheus import Prometheus
from deploy.watching.dashboards import DASHBOARDS
from deploy.watching.panels import Dashboard, Panel, Query

_ABOUT: Final = (
    "A preview, drawn by huestream from what a real Prometheus answered about a real run ({when}); Grafana draws "
    "the same "
    "queries its own way."
)


async def draw_previews(
    prometheus: Prometheus, begin: float, end: float, folder: Path, say: Callable[[str], None]
) -> None:
    """Draw every dashboard into a folder; raises `NoChromiumError`."""
    async with chromium_browser() as browser:
        for dashboard in DASHBOARDS:
            data = await _answers(prometheus, dashboard, begin, end)
            about = _ABOUT.format(when=time.strftime("%Y-%m-%d", time.gmtime(end)))
            path = folder / f"{dashboard.uid.replace('huestream-', 'dashboard-')}.png"
            await _draw(browser, page(dashboard, data, (begin, end), about), path)
            say(f"drew {path}")


async def _draw(browser: Browser, html: str, path: Path) -> None:
    drawn = await browser.new_page(viewport={"width": WIDTH, "height": 900})
    await drawn.set_content(html)
    picture = await drawn.screenshot(full_page=True)
    await drawn.close()
    await asyncio.to_thread(_save, picture, path)


def _save(picture: bytes, path: Path) -> None:
    """Save with 256 colors: a third of the size, and nobody sees it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


async def _answers(prometheus: Prometheus, dashboard: Dashboard, begin: float, end: float) -> dict[str, list[Series]]:
    return {
        key(number, place): await _panel(prometheus, panel, begin, end)
        for number, row in enumerate(dashboard.rows)
        for place, panel in enumerate(row.panels)
    }


async def _panel(prometheus: Prometheus, panel: Panel, begin: float, end: float) -> list[Series]:
    found: list[tuple[str, list[tuple[float, float]]]] = []
    for query in panel.queries:
        answered = await prometheus.query_range(concrete(query.expression, end - begin), begin, end, STEP)
        found.extend((name_of(query, one["metric"]), _points(one)) for one in answered)
    if panel.kind == "bars":
        found.sort(key=lambda one: -one[1][-1][1] if one[1] else 0)
    named = dict(panel.colors)
    return [
        Series(name, named.get(name, PALETTE[number % len(PALETTE)]), points)
        for number, (name, points) in enumerate(found)
    ]


def _points(answered: Mapping[str, Any]) -> list[tuple[float, float]]:
    values = ((float(when), float(value)) for when, value in answered["values"])
    return [(when, value) for when, value in values if abs(value) < float("inf")]  # which NaN is not


def name_of(query: Query, labels: Mapping[str, str]) -> str:
    """Write the name of a series as its legend says.

    >>> name_of(Query("x", "{{job}} at {{instance}}"), {"job": "a", "instance": "b"})
    'a at b'
    """
    named = re.sub(r"{{(\w+)}}", lambda match: labels.get(match[1], ""), query.legend)
    return named.replace("huestream-", "").replace("127.0.0.1:", ":")
