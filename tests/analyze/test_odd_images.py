"""What shops send beside plain photos: each ends in its color or in the contract's code, without a word on stderr."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from tests.analyze.test_command import ONE_PROCESS, analyze, items

RED, BLUE = (200, 30, 40), (30, 60, 190)


def shirt(color: tuple[int, int, int] = RED, mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(image).rectangle((60, 60, 240, 240), fill=color)
    return image.convert(mode)


def cut_out() -> Image.Image:
    image = Image.new("RGBA", (300, 300), (*BLUE, 0))
    ImageDraw.Draw(image).rectangle((60, 60, 240, 240), fill=(*RED, 255))
    return image


def turned() -> tuple[Image.Image, Image.Exif]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return shirt(), exif


def without_adobe_marker(path: Path) -> None:
    """Take away what says that the inks are inverted: the marker is 14 bytes and its two of the kind."""
    content = path.read_bytes()
    at = content.index(b"\xff\xee")
    path.write_bytes(content[:at] + content[at + 16 :])


def cmyk_without_adobe(path: Path) -> None:
    shirt(mode="CMYK").save(path, "JPEG", quality=95)
    without_adobe_marker(path)


def sixteen_bit(path: Path) -> None:
    depth = np.full((300, 300), 65_535, np.uint16)
    depth[60:240, 60:240] = 2_000
    Image.fromarray(depth).save(path)


def palette_with_transparency(path: Path) -> None:
    image = Image.new("P", (300, 300), 0)
    image.putpalette([*BLUE, *RED])
    ImageDraw.Draw(image).rectangle((60, 60, 240, 240), fill=1)
    image.save(path, transparency=0)


def animation(path: Path) -> None:
    shirt().save(path, save_all=True, append_images=[shirt(BLUE)], duration=100)


def profiled(path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    shirt().save(path, icc_profile=profile, quality=95)


def broken_profile(path: Path) -> None:
    shirt().save(path, icc_profile=b"no profile at all", quality=95)


def plain(size: tuple[int, int], color: object, mode: str = "RGB") -> Callable[[Path], None]:
    return lambda path: Image.new(mode, size, color).save(path)  # type: ignore[arg-type]


ODD: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "transparent.png": (plain((50, 50), (200, 30, 40, 0), "RGBA"), "image_fully_transparent"),
    "one-pixel.png": (plain((1, 1), RED), "red"),
    "one-color.jpg": (plain((400, 400), RED), "red"),
    "wide.png": (plain((10_000, 1), RED), "red"),
    "high.png": (plain((1, 10_000), RED), "red"),
    "gray.jpg": (lambda path: shirt((128, 128, 128), "L").save(path, quality=95), "gray"),
    "cmyk-adobe.jpg": (lambda path: shirt(mode="CMYK").save(path, "JPEG", quality=95), "red"),
    "cmyk.jpg": (cmyk_without_adobe, "red"),
    "sixteen-bit.png": (sixteen_bit, "black"),
    "palette.png": (palette_with_transparency, "red"),
    "cut-out.webp": (lambda path: cut_out().save(path, lossless=True), "red"),
    "turned.jpg": (lambda path: turned()[0].save(path, exif=turned()[1], quality=95), "red"),
    "profile.jpg": (profiled, "red"),
    "broken-profile.jpg": (broken_profile, "red"),
    "animation.gif": (animation, "red"),
    "animation.webp": (animation, "red"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("odd")
    for name, (write, _) in ODD.items():
        write(folder / name)
    done = analyze(*[folder / name for name in ODD], "--product-type", "Shirt", *ONE_PROCESS)
    assert (done.returncode, done.stderr) == (0, "")
    return {
        Path(item.image_path).name: item.classification.primary.family if item.classification else item.error.code
        for item in items(done.stdout)
        if item.classification or item.error
    }


@pytest.mark.parametrize("name", ODD)
def test_an_odd_image_has_its_color_or_its_code(name: str, told: dict[str, str]) -> None:
    assert told[name] == ODD[name][1]
