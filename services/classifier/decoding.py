"""From bytes that a stranger sent to pixels: the one door to Pillow."""

import io
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from services.classifier.color import ANALYSIS_SIDE
from services.classifier.jpeg_scans import MAX_SCANS, for_an_eighth, has_too_many_scans
from services.classifier.png_chunks import MAX_CHUNKS, SIGNATURE, has_too_many_chunks
from services.classifier.problems import DecodeProblem, too_much_memory

if TYPE_CHECKING:  # decoders import this module, and not what validates
    from schemas.fields import ItemErrorCode

Pixels = NDArray[np.uint8]

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_EIGHTH: Final = 8
_TOLERANCE: Final = 1.25
_SIXTEEN_BIT: Final = frozenset({"I;16", "I;16L", "I;16B", "I"})


def decode(content: bytes, max_pixels: int) -> Pixels:
    """Decode an image to upright sRGB, (height, width, 3 or 4), uint8, reduced to about `ANALYSIS_SIDE`.

    Frame 0 of an animation. Raises `DecodeProblem` for whatever is not an image that can be read.
    """
    _refuse_floods(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged metadata; what matters raises
        image = _without_needless_scans(content, _opened(content, max_pixels))
        try:
            return _pixels(image)
        except MemoryError as error:
            raise too_much_memory() from error
        except Exception as error:  # hostile input ends here, in a named outcome
            raise DecodeProblem("image_corrupt", f"The {image.format} image is damaged") from error


def _refuse_floods(content: bytes) -> None:
    if has_too_many_scans(content):
        raise DecodeProblem("image_corrupt", f"The JPEG has more than {MAX_SCANS} scans")
    if content.startswith(SIGNATURE) and has_too_many_chunks(content):
        raise DecodeProblem("image_corrupt", f"The PNG has more than {MAX_CHUNKS} chunks")


def _without_needless_scans(content: bytes, image: Image.Image) -> Image.Image:
    """Open a progressive JPEG anew, cut short, where an eighth of its size is enough."""
    if image.format != "JPEG" or not image.info.get("progressive") or image.mode not in {"L", "RGB"}:
        return image
    if min(side // reduced for side, reduced in zip(image.size, _reduced_size(image), strict=True)) < _EIGHTH:
        return image
    return Image.open(io.BytesIO(for_an_eighth(content)), formats=("JPEG",))


def _opened(content: bytes, max_pixels: int) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = max_pixels // 2  # Pillow raises above twice this, before it allocates
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(max_pixels) from error
    except UnidentifiedImageError as error:
        raise DecodeProblem(*_unidentified(content)) from error
    except Exception as error:  # hostile input ends here, in a named outcome
        raise DecodeProblem("image_corrupt", "The image is damaged") from error
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)
    return image


def _too_many_pixels(max_pixels: int) -> DecodeProblem:
    return DecodeProblem("image_too_many_pixels", f"The image has more than {max_pixels} pixels")


def _unidentified(content: bytes) -> tuple["ItemErrorCode", str]:
    """Tell a damaged image of our formats from something else, by its first bytes."""
    known = content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )
    if known:
        return "image_corrupt", "The image is damaged"
    return "image_unsupported_format", "The file is not a JPEG, PNG, WEBP or GIF image"


def _pixels(image: Image.Image) -> Pixels:
    if image.format in {"JPEG", "MPO"}:
        image.draft(None, _reduced_size(image))
    ImageOps.exif_transpose(image, in_place=True)  # else it copies what is upright already
    small = _small(_in_srgb(_plain(image), image.info.get("icc_profile")))
    return np.asarray(small, dtype=np.uint8)


def _reduced_size(image: Image.Image) -> tuple[int, int]:
    """Scale so that the longest side is `ANALYSIS_SIDE`, in pixels (width, height)."""
    scale = ANALYSIS_SIDE / max(image.size)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _plain(image: Image.Image) -> Image.Image:
    """Bring any mode of the four formats to RGB, RGBA or CMYK."""
    if image.mode in _SIXTEEN_BIT:
        depth = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(depth.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in {"RGBA", "CMYK"} or (image.mode == "RGB" and "transparency" not in image.info):
        return image
    return image.convert("RGBA" if image.mode in {"LA", "PA", "RGBa"} or "transparency" in image.info else "RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply an embedded color profile; one that is damaged or does not fit counts as absent."""
    small = _small(image)
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = "RGBA" if small.mode == "RGBA" else "RGB"
            converted = ImageCms.profileToProfile(small, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return small.convert("RGB") if small.mode == "CMYK" else small


def _small(image: Image.Image) -> Image.Image:
    if max(image.size) <= ANALYSIS_SIDE * _TOLERANCE:
        return image
    return image.resize(_reduced_size(image), Image.Resampling.BOX)
