"""Draw the pictures of docs/: a report mail as a browser shows it, at desktop and phone width, light and dark.

    python docs/pictures.py MAIL.eml [--output docs/pictures]

Needs Debian's chromium, or another one on the PATH.
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from services.local.mailbox.mails import body_of

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VIEWS = (("desktop", 760, "light"), ("phone", 390, "light"), ("dark", 760, "dark"))


def html_of(mail: Path) -> str:
    html = body_of(mail.read_bytes()).html
    if html is None:
        sys.exit(f"{mail} has no HTML part")
    return html


def draw(browser: Browser, html: str, path: Path, width: int, scheme: str, height: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_content(html)
    page.screenshot(path=path, clip={"x": 0, "y": 0, "width": width, "height": height})
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mail", type=Path)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--height", type=int, default=1000)
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no chromium is on the PATH; install Debian's package chromium")
    arguments.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        for name, width, scheme in VIEWS:
            path = arguments.output / f"mail-{name}.png"
            draw(browser, html_of(arguments.mail), path, width, scheme, arguments.height)
            print(path)
        browser.close()


if __name__ == "__main__":
    main()
