"""From pixels to the answer: every step of the analysis, in order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.classifier.color.analysis import (
    FAMILIES,
    Alternative,
    Analysis,
    Family,
    LabelVerdict,
    PaletteEntry,
    PrimaryColor,
)
from services.classifier.color.background import Backdrop, backdrop_of
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.families import family_probabilities, features_of
from services.classifier.color.groups import GROUPS, Kind, kind_of
from services.classifier.color.hexes import hex_of, rgb8_from_oklab, rgb_from_hex
from services.classifier.color.histogram import Histogram, cells_of, histogram_of
from services.classifier.color.labels import Comparison, verdict_of
from services.classifier.color.metallic import metal_of, metallic_features
from services.classifier.color.model import Model, model
from services.classifier.color.names import commerce_name, fine_name, likeness_of, names_and_first_apart, names_apart
from services.classifier.color.oklab import Floats, oklab_from_srgb, oklch_from_oklab
from services.classifier.color.palette import Palette, palette_of
from services.classifier.color.pattern import SEVERAL, multicolor_features, multicolor_probability, pattern_of
from services.classifier.color.photo import Bytes, Mask, Photo, photo_of, thinned
from services.classifier.color.places import place_of
from services.classifier.color.product import Product, product_of
from services.classifier.color.review import confidence_features, confidence_of, reasons_for
from services.classifier.color.scene import background_of, cast_of


@dataclass(frozen=True, eq=False)
class View:
    """What is seen in a photo before anything is named."""

    photo: Photo
    kind: Kind
    backdrop: Backdrop
    product: Product


@dataclass(frozen=True, eq=False)
class Reading:
    """What is learned from a view: family probabilities (12), colors (k), and how each color is called.

    apart (k, names) are the CIEDE2000 differences to the shop names, names (k, 12) the probabilities of the families;
    compared is a label beside them.
    """

    histogram: Histogram
    probabilities: Floats
    palette: Palette
    rgb: Bytes
    apart: Floats
    names: Floats
    compared: Comparison | None


def analyze(
    pixels: Bytes, *, product_type: str | None, category: str | None, label: str | None, figure: Mask | None = None
) -> Analysis:
    """Tell the colors of the product in upright sRGB pixels (height, width, 3 or 4) of any size.

    `label` is "#RGB" or "#RRGGBB"; `figure` (height, width) is what another model saw before the background.
    Raises `FullyTransparentError` and nothing else; the same pixels give the same bits.
    """
    learned = model()
    view = view_of(pixels, kind_of(product_type, category), figure)
    return answer_of(view, reading_of(product_histogram(view, learned), view.kind, learned, label), learned)


def view_of(pixels: Bytes, kind: Kind, figure: Mask | None = None) -> View:
    """Find the product of a kind in a photo; raises `FullyTransparentError`."""
    photo = photo_of(pixels)
    backdrop = backdrop_of(photo)
    seen = None if figure is None else thinned(figure)
    return View(photo, kind, backdrop, product_of(photo, backdrop, kind, seen))


def product_histogram(view: View, learned: Model) -> Histogram:
    """Count the colors of the product, those most at places where products of the group usually are."""
    mask = view.product.mask
    weight = learned.maps[GROUPS.index(view.kind.group)].ravel().take(place_of(mask))
    inside = view.photo.rgb.reshape(-1, 3).take(np.flatnonzero(mask), axis=0)
    return histogram_of(inside, view.product.weight[mask] * weight)


def reading_of(histogram: Histogram, kind: Kind, learned: Model, label: str | None = None) -> Reading:
    """Name a product and its colors, and set a label beside them."""
    palette = palette_of(histogram)
    rgb = rgb8_from_oklab(palette.oklab)
    apart, names, compared = named_beside(rgb, label) if label else (*_named(rgb), None)
    probabilities = family_probabilities(features_of(histogram, kind, learned), learned)
    return Reading(histogram, probabilities, palette, rgb, apart, names, compared)


def _named(rgb: Bytes) -> tuple[Floats, Floats]:
    """Name the colors (k, 3) of a palette: the differences and names of a `Reading`."""
    apart = names_apart(lab_from_srgb(rgb / 255.0))
    return apart, likeness_of(apart)


def named_beside(rgb: Bytes, label: str) -> tuple[Floats, Floats, Comparison]:
    """Name them, and set a label beside them."""
    apart, distances = names_and_first_apart(lab_from_srgb(np.vstack([rgb_from_hex(label), rgb]) / 255.0))
    likeness = likeness_of(apart)
    return apart[1:], likeness[1:], Comparison(label, distances[1:], likeness[0])


def answer_of(view: View, reading: Reading, learned: Model) -> Analysis:
    """Tell what was read in a view, and judge a label where there is one."""
    main = main_entry(reading)
    palette = entries_of(reading, main)
    primary = _primary(reading, palette, main)
    confidence = round(confidence_of(confidence_features(reading.probabilities), learned), 4)
    background = background_of(view.photo, view.backdrop, view.product.mask)
    verdict = _verdict(reading, primary, palette, learned)
    cast = cast_of(background, view.backdrop, reading.palette.oklab[main])
    several = multicolor_probability(
        multicolor_features(reading.palette, reading.names, reading.probabilities), learned
    )
    reasons = reasons_for(confidence, verdict, cast, found=view.product.found)
    return Analysis(
        primary=primary,
        palette=palette,
        background=background,
        label=verdict,
        pattern=pattern_of(_kinds(view, reading), view.product.mask) if several >= SEVERAL else "solid",
        multicolor=round(several, 4),
        metallic=metal_of(metallic_features(reading.histogram, view.kind.group), reading.palette.oklab[main], learned),
        cast=cast,
        confidence=confidence,
        alternative=_alternative(reading.probabilities),
        needs_review=bool(reasons),
        review_reasons=reasons,
    )


def _verdict(
    reading: Reading, primary: PrimaryColor, palette: tuple[PaletteEntry, ...], learned: Model
) -> LabelVerdict | None:
    compared = reading.compared
    return verdict_of(compared, primary, palette, reading.probabilities, learned) if compared else None


def main_entry(reading: Reading) -> int:
    """Find the palette color that the product's family is most likely told from."""
    family = int(reading.probabilities.argmax())
    return int((reading.palette.weight * (reading.names[:, family] + 1e-3)).argmax())


def entries_of(reading: Reading, main: int) -> tuple[PaletteEntry, ...]:
    """Describe the palette; the entry `main` has the family of the product."""
    families: list[Family] = [FAMILIES[index] for index in reading.names.argmax(axis=1)]
    families[main] = FAMILIES[int(reading.probabilities.argmax())]
    shares = reading.palette.area.round(4).tolist()
    hexes = [hex_of((red, green, blue)) for red, green, blue in reading.rgb.tolist()]
    return tuple(
        PaletteEntry(hexes[i], family, commerce_name(reading.apart[i], family), shares[i])
        for i, family in enumerate(families)
    )


def _primary(reading: Reading, palette: tuple[PaletteEntry, ...], main: int) -> PrimaryColor:
    srgb = reading.rgb[main] / 255.0
    oklab, entry = oklab_from_srgb(srgb), palette[main]
    red, green, blue = reading.rgb[main].tolist()
    return PrimaryColor(
        family=entry.family,
        name=entry.name,
        fine_name=fine_name(oklab),
        hex=entry.hex,
        rgb=(red, green, blue),
        lab=_rounded(lab_from_srgb(srgb), 2),
        oklch=_rounded(oklch_from_oklab(oklab), 4),
        share=entry.share,
    )


def _rounded(color: Floats, digits: int) -> tuple[float, float, float]:
    first, second, third = (color.round(digits) + 0.0).tolist()
    return first, second, third


def _kinds(view: View, reading: Reading) -> NDArray[np.intp]:
    """Give for each pixel (height, width) the family of the palette color that it belongs to."""
    kind_of_cell = np.zeros(1 << 15, dtype=np.intp)
    kind_of_cell[reading.histogram.cells] = reading.names.argmax(axis=1)[reading.palette.cluster_of]
    return kind_of_cell[cells_of(view.photo.rgb)]


def _alternative(probabilities: Floats) -> Alternative:
    second = int(np.argsort(-probabilities, kind="stable")[1])
    return Alternative(family=FAMILIES[second], probability=round(float(probabilities[second]), 4))
