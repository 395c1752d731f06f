"""What people load: bytes, requests and first paint of each page and of the mail, beside those of an empty page.

    .venv/bin/python benchmarks/pages.py [--runs 9]

Needs chromium. The results page and the mail show 250 images, without the customer's pictures. First paint is the
browser's own first-contentful-paint in a fresh profile, a median; the pages take turns, so that what else the machine
does falls on all of them.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))

from services.ingest.pages.assets import add_assets
from services.ingest.pages.docs import Docs
from services.reporter.example_report import example_report
from services.reporter.mail_html import html_of
from services.reporter.mail_picture import strips_png
from tests.browser.chromium import bytes_of, chromium, requests_of
from tests.ingest.pages.serving import serving, site_of

SIZE = 250
EMPTY = '<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><p>x'


@dataclass
class Weight:
    """What one page costs."""

    size: int = 0
    requests: int = 0
    paints: list[float] = field(default_factory=list)


@asynccontextmanager
async def addresses() -> AsyncIterator[dict[str, str]]:
    app = web.Application()
    Docs(None, 120, 3000, 600, 30).add_to(app)
    add_assets(app)

    async def empty(_: web.Request) -> web.Response:
        return web.Response(text=EMPTY, content_type="text/html")

    app.router.add_get("/empty", empty)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(app) as url, site_of(Path(folder), SIZE) as site:
            site.finish(example_report(SIZE).items)
            yield {
                "an empty page": f"{url}/empty",
                "/docs": f"{url}/docs",
                "/docs/api": f"{url}/docs/api",
                "/docs/topics": f"{url}/docs/topics",
                "results page of 250 rows": site.url + site.path(),
            }


async def look(address: str, weight: Weight) -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        requests = requests_of(page)
        await page.goto(address, wait_until="networkidle")
        [paint] = await page.evaluate(
            "() => performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)"
        )
        weight.size, weight.requests = await bytes_of(requests), len(requests)
        weight.paints.append(paint)


async def measured(runs: int) -> dict[str, Weight]:
    async with addresses() as pages:
        weights = {name: Weight() for name in pages}
        for _ in range(runs):
            for name, address in pages.items():
                await look(address, weights[name])
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    weights = asyncio.run(measured(parser.parse_args().runs))
    floor = statistics.median(weights["an empty page"].paints)
    print("| page | KB | requests | first paint | against an empty page |\n|---|---|---|---|---|")
    for name, weight in weights.items():
        paint = statistics.median(weight.paints)
        print(f"| {name} | {weight.size / 1000:.0f} | {weight.requests} | {paint:.0f} ms | {paint / floor:.1f}x |")
    report = example_report(SIZE)
    html = html_of(report, "https://huestream.example/inference/x/view?token=y", "colors@huestream.example")
    picture = strips_png(report.items) or b""
    print(
        f"\nmail of {SIZE} images: {len(html.encode()) / 1000:.1f} KB of HTML, {len(picture) / 1000:.1f} KB of picture"
    )


if __name__ == "__main__":
    main()
