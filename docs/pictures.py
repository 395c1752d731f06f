"""Draw the pictures of docs/ from a real run: the mail, the results page and the guide, in a real browser.

    python -m docs.pictures [--photos DIR] [--output docs/pictures] [--data DIR]

Starts everything on this machine, submits the demo's drawn products or the first 250 photos of a folder (with what a
labels.csv beside them says), waits for the mail, and opens it, the page that it links to, and the guide, at desktop and
phone width, light and dark. Needs Debian's chromium, or another one on the PATH.
"""

import argparse
import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser

from deploy.chromium import NoChromiumError, chromium_browser
from huestream import AsyncClient, Image
from schemas.fields import MAX_BATCH
from services.demo.image_host import image_host
from services.demo.mail_copies import mails_about
from services.demo.offer import PRODUCTS, TEXT, TEXT_FILE, drawn, offer_items
from services.demo.photos import photo_items, photos_in
from services.demo.stack import running_stack
from services.local.folders import user_data_folder
from services.local.mailbox.mails import body_of

VIEWS = (("desktop", 1100, "light"), ("phone", 390, "light"), ("dark", 1100, "dark"))
MAIL_WIDTH = 720
MAIL_SECONDS = 300.0


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def offer(files: dict[str, bytes | Path], photos: Path | None, address: str) -> list[Image]:
    if photos is None:
        files |= {product.file_name: drawn(product) for product in PRODUCTS} | {TEXT_FILE: TEXT}
        return offer_items(address)
    found = photos_in(photos)[:MAX_BATCH]
    files |= {photo.name: photo.absolute() for photo in found}
    return photo_items(found, address)


async def draw(browser: Browser, address: str, path: Path, width: int, scheme: str, height: int) -> None:
    page = await browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await page.goto(address, wait_until="networkidle")
    await page.screenshot(path=path)
    await page.close()
    say(str(path))


async def draw_all(browser: Browser, addresses: dict[str, str], output: Path, height: int) -> None:
    for what, address in addresses.items():
        for name, width, scheme in VIEWS:
            wide = min(width, MAIL_WIDTH) if what == "mail" else width
            await draw(browser, address, output / f"{what}-{name}.png", wide, scheme, height)


def shown_at(html: str, endpoint: str, pictures: Sequence[Path] | None) -> str:
    """Find the link of the mail; photos of a folder are shown beside their colors."""
    link = re.search(rf'href="({re.escape(endpoint)}[^"]*)"', html)
    if link is None:
        sys.exit("the mail links to no results page")
    return f"{link[1]}{'&pictures=1' if pictures else ''}"


async def run(data: Path, photos: Path | None, output: Path, height: int) -> None:
    files: dict[str, bytes | Path] = {}
    async with chromium_browser() as browser, image_host(files) as address, running_stack(data, say) as stack:
        images = offer(files, photos, address)
        lenient = any(image.hex_color_label is None or image.category is None for image in images)
        async with AsyncClient(stack.endpoint, stack.api_key) as client:
            batch = await client.submit(images, lenient=lenient)
        [mail] = await mails_about(stack.mail_dir, [batch.inference_id], MAIL_SECONDS)
        html = body_of(mail.read_bytes()).html or ""
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as page:
            page.write(html)
            page.flush()
            addresses = {
                "mail": f"file://{page.name}",
                "results": shown_at(html, stack.endpoint, photos_in(photos) if photos else None),
                "guide": f"{stack.endpoint}/docs",
            }
            await draw_all(browser, addresses, output, height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="DIR", help="photos instead of the drawn products")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--height", type=int, default=1100)
    parser.add_argument(
        "--data", type=Path, default=user_data_folder(), help="folder of the run (default: %(default)s)"
    )
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(run(arguments.data, arguments.photos, arguments.output, arguments.height))
    except NoChromiumError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
