"""The products: each function draws one in the color it is given."""

from collections.abc import Callable

import numpy as np

from services.demo.drawing.backdrops import ground_shadow, plain, room, studio
from services.demo.drawing.brush import (
    Canvas,
    Plane,
    Point,
    across,
    blurred,
    cylinder,
    down,
    ellipse,
    mirrored,
    noise,
    polygon,
    rounded,
    shape,
    stroke,
)

Draw = Callable[[str], Canvas]

_SHIRT: list[Point] = [
    (0.5, 0.205), (0.56, 0.195), (0.605, 0.15), (0.605, 0.15), (0.70, 0.185), (0.77, 0.235), (0.86, 0.395),
    (0.86, 0.395), (0.755, 0.455), (0.755, 0.455), (0.715, 0.40), (0.705, 0.55), (0.715, 0.86), (0.715, 0.86),
    (0.6, 0.878), (0.5, 0.88),
]  # fmt: skip


def t_shirt(color: str) -> Canvas:
    """A T-shirt, flat, on white."""
    canvas = plain()
    body = shape(mirrored(_SHIRT))
    canvas.cast(body, by=(0.01, 0.018), soft=0.018, strength=0.22)
    inside = ellipse(0.5, 0.165, 0.2, 0.075)
    canvas.paint(inside, color, 0.55)
    light = 0.96 + 0.09 * noise(21, 9, 3) * np.clip((down() - 0.2) * 2, 0.25, 1) - 0.1 * np.clip(across() - 0.55, 0, 1)
    canvas.paint(body, color, light, relief=0.3, depth=0.035)
    _seam(canvas, body, stroke([(0.285, 0.44), (0.287, 0.33), (0.325, 0.225)], 0.004), 0.22)
    _seam(canvas, body, stroke([(0.715, 0.44), (0.713, 0.33), (0.675, 0.225)], 0.004), 0.22)
    _seam(canvas, body, stroke([(0.28, 0.845), (0.5, 0.862), (0.72, 0.845)], 0.003), 0.2)
    neck = stroke([(0.402, 0.152), (0.44, 0.203), (0.5, 0.222), (0.56, 0.203), (0.598, 0.152)], 0.024)
    canvas.cast(neck, by=(0.001, 0.005), soft=0.004, strength=0.25)
    canvas.paint(neck, color, 0.98, relief=0.25, depth=0.006)
    return canvas


def _seam(canvas: Canvas, body: Plane, line: Plane, strength: float) -> None:
    canvas.cast(line * body, by=(0, 0.001), soft=0.0015, strength=strength)


_DRESS: list[Point] = [
    (0.5, 0.17), (0.545, 0.155), (0.575, 0.09), (0.575, 0.09), (0.605, 0.085), (0.605, 0.085), (0.62, 0.16),
    (0.65, 0.235), (0.615, 0.31), (0.6, 0.385), (0.655, 0.52), (0.73, 0.70), (0.79, 0.875), (0.79, 0.875),
    (0.66, 0.905), (0.5, 0.91),
]  # fmt: skip


def dress(color: str) -> Canvas:
    """A dress with a full skirt, in front of cream."""
    canvas = plain("#F4ECDD")
    body = shape(mirrored(_DRESS))
    canvas.cast(body, by=(0.02, 0.02), soft=0.03, strength=0.2)
    fan = (across() - 0.5) / np.maximum(0.06, (down() - 0.2) * 0.5)
    folds = np.clip((down() - 0.4) * 3, 0, 1) * (
        0.13 * np.sin(fan * 11 + 1.2 * noise(4, 5, 3)) + 0.04 * np.sin(fan * 23)
    )
    canvas.paint(body, color, 0.96 + folds + 0.03 * noise(8, 8, 5), relief=0.3, depth=0.03)
    belt = body * ((down() > 0.373) & (down() < 0.405))
    canvas.cast(belt, by=(0, 0.006), soft=0.005, strength=0.35)
    canvas.paint(belt, color, 0.72 + 0.25 * np.sin((across() - 0.36) * 9))
    return canvas


def mug(color: str) -> Canvas:
    """A glazed mug on gray paper."""
    canvas = studio("#DCDDDF", horizon=0.7)
    left, right, top, bottom = 0.27, 0.64, 0.3, 0.76
    handle = stroke([(0.61, 0.4), (0.74, 0.37), (0.8, 0.47), (0.775, 0.59), (0.615, 0.67)], 0.052)
    body = np.maximum.reduce(
        [
            rounded(left, top + 0.1, right, bottom, 0.05),
            rounded(left, top, right, bottom - 0.1, 0.001),
            ellipse(0.455, bottom - 0.02, 0.34, 0.075),
        ]
    )
    ground_shadow(canvas, ellipse(0.5, 0.775, 0.5, 0.06), strength=0.5)
    canvas.paint(handle, color, 0.85, relief=0.5, depth=0.014)
    canvas.brighten(stroke([(0.66, 0.375), (0.73, 0.358), (0.775, 0.41)], 0.007), 0.5, soft=0.003)
    canvas.paint(body, color, cylinder(left, right) - 0.1 * (down() - 0.3))
    canvas.paint(ellipse(0.455, top, right - left, 0.09), color, 1.14)
    canvas.paint(ellipse(0.455, top + 0.004, right - left - 0.028, 0.074), "#F5F1EA", 0.62 + 0.5 * (across() - 0.27))
    coffee = ellipse(0.455, top + 0.018, right - left - 0.05, 0.05)
    canvas.paint(coffee, "#3B2417", 1.0 + 0.15 * (0.5 - across()))
    canvas.brighten(rounded(0.315, 0.37, 0.338, 0.66, 0.011), 0.6, soft=0.007)
    canvas.brighten(rounded(0.352, 0.37, 0.36, 0.66, 0.004), 0.25, soft=0.004)
    return canvas


def sneaker(color: str) -> Canvas:
    """A running shoe from its side, on white."""
    canvas = plain("#FDFDFD")
    sole = shape([
        (0.105, 0.655), (0.1, 0.7), (0.115, 0.735), (0.3, 0.738), (0.5, 0.728), (0.7, 0.742), (0.87, 0.735),
        (0.912, 0.71), (0.912, 0.67), (0.88, 0.648), (0.7, 0.66), (0.4, 0.645), (0.2, 0.64),
    ])  # fmt: skip
    upper = shape([
        (0.125, 0.43), (0.115, 0.39), (0.15, 0.36), (0.2, 0.38), (0.28, 0.425), (0.36, 0.405), (0.42, 0.35),
        (0.46, 0.345), (0.50, 0.40), (0.60, 0.49), (0.72, 0.54), (0.85, 0.575), (0.9, 0.63), (0.895, 0.67),
        (0.6, 0.69), (0.3, 0.68), (0.115, 0.68), (0.105, 0.58),
    ])  # fmt: skip
    ground_shadow(canvas, ellipse(0.51, 0.74, 0.8, 0.03), strength=0.42)
    canvas.paint(shape([(0.16, 0.38), (0.28, 0.44), (0.42, 0.37), (0.45, 0.34), (0.3, 0.35), (0.2, 0.35)]), "#3A3634")
    mesh = 0.03 * np.sin(across() * 560) * np.sin(down() * 560)
    canvas.paint(upper, color, 0.97 + mesh, relief=0.38, depth=0.04)
    toe = upper * shape([(0.72, 0.52), (0.76, 0.6), (0.78, 0.7), (0.95, 0.7), (0.95, 0.55)])
    canvas.paint(toe, color, 0.84, relief=0.2, depth=0.025)
    heel = upper * shape([(0.1, 0.36), (0.19, 0.4), (0.235, 0.52), (0.22, 0.7), (0.08, 0.7)])
    canvas.paint(heel, color, 0.8, relief=0.3, depth=0.025)
    stripe = upper * shape([(0.3, 0.66), (0.42, 0.62), (0.53, 0.5), (0.575, 0.53), (0.47, 0.64), (0.36, 0.68)])
    canvas.cast(stripe, by=(0.001, 0.003), soft=0.003, strength=0.25)
    canvas.paint(stripe, "#F8F6F2", 0.99, relief=0.15, depth=0.008)
    canvas.cast(sole, by=(0, -0.008), soft=0.008, strength=0.3)
    canvas.paint(sole, "#F6F4EF", 0.97, relief=0.3, depth=0.02)
    canvas.cast(sole * (np.abs(down() - 0.712) < 0.002), by=(0, 0), soft=0.002, strength=0.3)
    _laces(canvas)
    return canvas


def _laces(canvas: Canvas) -> None:
    for number in range(5):
        x, y = 0.452 + 0.046 * number, 0.382 + 0.037 * number
        lace = stroke([(x - 0.032, y + 0.052), (x - 0.004, y + 0.02), (x + 0.03, y + 0.002)], 0.014)
        canvas.cast(lace, by=(0.002, 0.006), soft=0.004, strength=0.35)
        canvas.paint(lace, "#FBFAF7", 0.97, relief=0.3, depth=0.005)


def handbag(color: str) -> Canvas:
    """A leather bag with a flap, in front of cream."""
    canvas = studio("#F1E8DA", horizon=0.76)
    ground_shadow(canvas, ellipse(0.5, 0.815, 0.64, 0.04), strength=0.5)
    strap = stroke(
        [(0.3, 0.45), (0.305, 0.26), (0.38, 0.14), (0.5, 0.1), (0.62, 0.14), (0.695, 0.26), (0.7, 0.45)], 0.03
    )
    canvas.cast(strap, by=(0.012, 0.012), soft=0.012, strength=0.25)
    canvas.paint(strap, color, 0.88, relief=0.4, depth=0.009)
    body = shape(
        mirrored([(0.5, 0.385), (0.7, 0.39), (0.77, 0.41), (0.8, 0.55), (0.83, 0.76), (0.8, 0.81), (0.5, 0.815)])
    )
    leather = 0.93 + 0.03 * noise(31, 90, 90) + 0.05 * noise(32, 5, 5)
    canvas.paint(body, color, leather, relief=0.42, depth=0.045)
    flap = shape(
        mirrored([(0.5, 0.375), (0.72, 0.38), (0.775, 0.405), (0.785, 0.5), (0.72, 0.6), (0.6, 0.635), (0.5, 0.64)])
    )
    canvas.cast(flap, by=(0.002, 0.016), soft=0.014, strength=0.5)
    canvas.paint(flap, color, leather + 0.05, relief=0.36, depth=0.04)
    inner = shape(
        mirrored([(0.5, 0.39), (0.71, 0.395), (0.755, 0.42), (0.762, 0.5), (0.705, 0.585), (0.6, 0.617), (0.5, 0.622)])
    )
    stitches = np.clip(blurred(inner, 0.002) * (1 - blurred(inner, 0.002)) * 4 - 0.35, 0, 1)
    canvas.brighten(stitches * (np.sin(across() * 330 + down() * 330) > 0), 0.45)
    buckle = rounded(0.455, 0.585, 0.545, 0.685, 0.014)
    canvas.cast(buckle, by=(0.004, 0.008), soft=0.006, strength=0.5)
    canvas.paint(buckle, "#D9B15C", 0.95 + 0.35 * np.sin((across() + down()) * 22), relief=0.4, depth=0.008)
    canvas.paint(rounded(0.472, 0.604, 0.528, 0.666, 0.008), color, 0.7)
    canvas.paint(rounded(0.493, 0.6, 0.507, 0.67, 0.005), "#E6C67A", relief=0.4, depth=0.005)
    return canvas


def chair(color: str) -> Canvas:
    """An upholstered chair in a room."""
    canvas = room("#DDE3E1")
    ground_shadow(canvas, polygon([(0.24, 0.9), (0.7, 0.875), (0.82, 0.915), (0.36, 0.95)]), strength=0.42, soft=0.025)
    for foot, top in (((0.37, 0.84), (0.4, 0.6)), ((0.685, 0.835), (0.65, 0.6))):
        canvas.paint(stroke([top, foot], 0.018), "#7A5535", 0.75, relief=0.4, depth=0.006)
    back = shape([
        (0.305, 0.24), (0.35, 0.185), (0.5, 0.165), (0.65, 0.185), (0.695, 0.24), (0.7, 0.42), (0.675, 0.58),
        (0.5, 0.6), (0.325, 0.58), (0.3, 0.42),
    ])  # fmt: skip
    canvas.cast(back, by=(0.05, 0.02), soft=0.04, strength=0.18)
    weave = 0.96 + 0.025 * noise(41, 150, 150)
    canvas.paint(back, color, weave, relief=0.42, depth=0.05)
    for x, y in ((0.41, 0.31), (0.5, 0.3), (0.59, 0.31), (0.41, 0.42), (0.5, 0.41), (0.59, 0.42)):
        canvas.cast(ellipse(x, y, 0.024, 0.024), by=(0, 0), soft=0.012, strength=0.5)
        canvas.paint(ellipse(x, y, 0.017, 0.017), color, 0.82, relief=0.5, depth=0.005)
    seat = shape([
        (0.255, 0.6), (0.3, 0.555), (0.5, 0.54), (0.7, 0.555), (0.745, 0.6), (0.755, 0.66), (0.7, 0.7), (0.5, 0.71),
        (0.3, 0.7), (0.245, 0.66),
    ])  # fmt: skip
    canvas.cast(seat, by=(0, -0.012), soft=0.015, strength=0.3)
    canvas.paint(seat, color, weave + 0.02, relief=0.46, depth=0.045)
    _seam(canvas, seat, stroke([(0.255, 0.64), (0.5, 0.66), (0.745, 0.64)], 0.004), 0.4)
    for foot, top in (((0.265, 0.93), (0.31, 0.695)), ((0.775, 0.925), (0.69, 0.695))):
        leg = stroke([top, foot], 0.024)
        canvas.paint(leg, "#8A6240", 0.95, relief=0.45, depth=0.008)
    return canvas


def lamp(color: str) -> Canvas:
    """A table lamp that is switched on, on a board before a wall."""
    canvas = room("#C9CFD4", "#8E6B4A", edge=0.8)
    canvas.brighten(ellipse(0.5, 0.42, 0.75, 0.7), 0.35, soft=0.11)
    ground_shadow(canvas, ellipse(0.52, 0.875, 0.36, 0.04), strength=0.5)
    canvas.paint(ellipse(0.5, 0.872, 0.27, 0.062), "#C9A45A", 0.75 * cylinder(0.36, 0.64))
    canvas.paint(ellipse(0.5, 0.86, 0.27, 0.062), "#C9A45A", 0.55 + 0.5 * cylinder(0.36, 0.64))
    stem = rounded(0.487, 0.5, 0.513, 0.86, 0.006)
    canvas.paint(stem, "#C9A45A", 0.5 + 0.65 * cylinder(0.485, 0.515))
    shade = shape([
        (0.385, 0.19), (0.385, 0.19), (0.5, 0.18), (0.615, 0.19), (0.615, 0.19), (0.72, 0.555), (0.72, 0.555),
        (0.5, 0.58), (0.28, 0.555), (0.28, 0.555),
    ])  # fmt: skip
    glow = 0.25 * np.exp(-(((across() - 0.5) / 0.13) ** 2 + ((down() - 0.45) / 0.2) ** 2))
    pleats = 0.035 * np.sin((across() - 0.5) / (0.11 + 0.42 * (down() - 0.19)) * 40)
    canvas.paint(shade, color, 0.93 + glow + pleats - 0.25 * np.abs(across() - 0.48))
    for line in ([(0.385, 0.192), (0.5, 0.183), (0.615, 0.192)], [(0.281, 0.553), (0.5, 0.577), (0.719, 0.553)]):
        canvas.paint(stroke(line, 0.012), color, 0.8, relief=0.2, depth=0.004)
    return canvas


def phone(color: str) -> Canvas:
    """The back of a phone and the edge of its screen, on pale paper."""
    canvas = studio("#E9EDF2", horizon=0.9)
    body = rounded(0.305, 0.1, 0.695, 0.9, 0.062)
    canvas.cast(body, by=(0.03, 0.035), soft=0.03, strength=0.4)
    canvas.paint(body, "#5C6066", 0.9 + 0.5 * np.sin(across() * 9), relief=0.3, depth=0.006)
    glass = rounded(0.312, 0.107, 0.688, 0.893, 0.056)
    canvas.paint(glass, color, 1.0 + 0.05 * (0.5 - down()))
    sheen = polygon([(0.312, 0.107), (0.56, 0.107), (0.36, 0.893), (0.312, 0.893)])
    canvas.brighten(glass * sheen, 0.09, soft=0.012)
    island = rounded(0.34, 0.135, 0.53, 0.325, 0.045)
    canvas.cast(island, by=(0.004, 0.006), soft=0.008, strength=0.5)
    canvas.paint(island, color, 1.06, relief=0.25, depth=0.008)
    for x, y in ((0.39, 0.185), (0.48, 0.185), (0.39, 0.275)):
        _lens(canvas, x, y)
    canvas.paint(ellipse(0.48, 0.275, 0.032, 0.032), "#F4E9C8", 0.95, relief=0.2, depth=0.004)
    return canvas


def _lens(canvas: Canvas, x: float, y: float) -> None:
    for width, color in ((0.078, "#6C7076"), (0.068, "#0B0C0E"), (0.04, "#161B28"), (0.022, "#06070A")):
        canvas.paint(ellipse(x, y, width, width), color, relief=0.3, depth=0.005)
    canvas.brighten(ellipse(x - 0.011, y - 0.012, 0.013, 0.01), 0.7, soft=0.002)


_SWEATER: list[Point] = [
    (0.5, 0.2), (0.555, 0.19), (0.595, 0.15), (0.595, 0.15), (0.69, 0.18), (0.745, 0.235), (0.79, 0.4), (0.83, 0.6),
    (0.865, 0.79), (0.865, 0.79), (0.785, 0.815), (0.785, 0.815), (0.74, 0.65), (0.7, 0.46), (0.705, 0.65),
    (0.7, 0.845), (0.7, 0.845), (0.6, 0.855), (0.5, 0.857),
]  # fmt: skip


def striped_sweater(color: str) -> Canvas:
    """A knitted sweater with broad stripes, on white."""
    canvas = plain("#FCFCFB")
    body = shape(mirrored(_SWEATER))
    canvas.cast(body, by=(0.01, 0.016), soft=0.018, strength=0.24)
    canvas.paint(ellipse(0.5, 0.165, 0.19, 0.07), color, 0.5)
    knit = 0.045 * np.sin(across() * 620 + 1.5 * np.sin(down() * 620)) * np.sin(down() * 310)
    light = 0.96 + knit + 0.07 * noise(51, 7, 4)
    canvas.paint(body, color, light, relief=0.32, depth=0.035)
    sleeve = np.abs(across() - 0.5) > 0.205 + 0.02 * np.sin(down() * 3)
    wave = down() + 0.012 * np.cos((across() - 0.5) * 7) - np.where(sleeve, 0.3 * (np.abs(across() - 0.5) - 0.2), 0)
    stripes = blurred(np.asarray((np.mod(wave, 0.105) > 0.072) & (wave > 0.27) & (wave < 0.8), np.float32), 0.0012)
    canvas.paint(stripes * body, "#F3EEE4", light, relief=0.0)
    edge = body * (stripes * 0 + 1)
    shade = np.clip(
        -(np.gradient(blurred(edge, 0.035))[1] * 0.5 + np.gradient(blurred(edge, 0.035))[0] * 0.8) * 30, 0, 0.3
    )
    canvas.pixels = canvas.pixels * (1 - shade * stripes * body)[..., None]
    for x in (0.297, 0.703):
        _seam(
            canvas,
            body,
            stroke([(x, 0.47), (x + (0.02 if x < 0.5 else -0.02), 0.34), (0.5 + (x - 0.5) * 0.82, 0.2)], 0.005),
            0.3,
        )
    rib = body * ((down() > 0.8) & (np.abs(across() - 0.5) < 0.21))
    canvas.paint(rib, color, 0.9 + 0.1 * np.sin(across() * 330) + 0.05 * noise(51, 7, 4))
    neck = stroke([(0.405, 0.15), (0.44, 0.2), (0.5, 0.217), (0.56, 0.2), (0.595, 0.15)], 0.034)
    canvas.cast(neck, by=(0.001, 0.006), soft=0.005, strength=0.3)
    canvas.paint(neck, color, 0.94 + 0.08 * np.sin(across() * 330), relief=0.25, depth=0.009)
    return canvas


def beach_ball(color: str) -> Canvas:
    """A ball of two colors in turn, on sand-colored paper."""
    canvas = studio("#EFE9DC", horizon=0.72)
    ground_shadow(canvas, ellipse(0.52, 0.825, 0.46, 0.06), strength=0.5, soft=0.02)
    x, y = (across() - 0.5) / 0.33, (down() - 0.5) / 0.33
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    pole = -0.465 * x - 0.291 * y + 0.836 * z
    angle = np.arctan2(0.874 * x + 0.486 * z, 0.243 * x + 0.866 * y + 0.437 * z)
    sector = np.mod(angle / (2 * np.pi) * 6 + 0.3, 2)
    light = np.asarray(0.5 + 0.55 * np.clip(-0.45 * x - 0.6 * y + 0.66 * z, 0, 1) + 0.08 * np.clip(y, 0, 1), np.float32)
    ball = ellipse(0.5, 0.5, 0.66, 0.66)
    canvas.paint(ball, color, light)
    canvas.paint(ball * blurred(np.asarray((sector > 1) | (pole > 0.975), np.float32), 0.001), "#FBF8F0", light)
    seam = np.asarray(np.abs(pole - 0.975) < 0.003, np.float32)
    canvas.cast(ball * seam, by=(0, 0), soft=0.002, strength=0.3)
    canvas.brighten(ellipse(0.38, 0.34, 0.13, 0.085), 0.55, soft=0.022)
    return canvas


def beanie(color: str) -> Canvas:
    """A knitted hat with a pompom, on white."""
    canvas = plain("#FFFFFF")
    crown = shape(
        [(0.235, 0.66), (0.25, 0.45), (0.36, 0.285), (0.5, 0.235), (0.64, 0.285), (0.75, 0.45), (0.765, 0.66)]
    )
    brim = shape([(0.205, 0.62), (0.35, 0.655), (0.5, 0.665), (0.65, 0.655), (0.795, 0.62), (0.8, 0.72), (0.775, 0.79),
                  (0.64, 0.815), (0.5, 0.82), (0.36, 0.815), (0.225, 0.79), (0.2, 0.72)])  # fmt: skip
    both = np.maximum(crown, brim)
    canvas.cast(both, by=(0.008, 0.02), soft=0.02, strength=0.25)
    fan = (across() - 0.5) / np.maximum(0.05, 0.27 * np.sqrt(np.clip((down() - 0.2) / 0.45, 0.01, 1)))
    knit = 0.1 * np.sin(fan * 38) + 0.04 * np.sin(down() * 300)
    canvas.paint(crown, color, 0.94 + knit + 0.03 * noise(61, 6, 6), relief=0.45, depth=0.06)
    canvas.cast(brim, by=(0, -0.012), soft=0.012, strength=0.4)
    canvas.paint(brim, color, 0.96 + 0.13 * np.sin((across() - 0.5) * 165), relief=0.4, depth=0.035)
    _pompom(canvas, color)
    return canvas


def _pompom(canvas: Canvas, color: str) -> None:
    x, y = across() - 0.5, down() - 0.195
    distance, angle = np.hypot(x, y), np.arctan2(y, x)
    fringe = 0.006 * np.sin(angle * 61 + 3 * noise(64, 7, 7)) + 0.005 * noise(65, 90, 90)
    ball = blurred(np.asarray(distance + fringe < 0.092, np.float32), 0.0015)
    canvas.cast(ball, by=(0.004, 0.016), soft=0.014, strength=0.4)
    strands = 0.1 * np.sin(angle * 47 + distance * 90 + 5 * noise(66, 14, 14)) + 0.12 * noise(67, 70, 70)
    canvas.paint(ball, color, np.asarray(0.95 + strands, np.float32), relief=0.5, depth=0.05)


def cushion(color: str) -> Canvas:
    """A velvet cushion in a room."""
    canvas = room("#E9E2D8", "#A98058", edge=0.72)
    body = shape([(0.2, 0.27), (0.2, 0.27), (0.5, 0.31), (0.8, 0.27), (0.8, 0.27), (0.765, 0.55), (0.815, 0.85),
                  (0.815, 0.85), (0.5, 0.815), (0.185, 0.85), (0.185, 0.85), (0.235, 0.55)])  # fmt: skip
    ground_shadow(canvas, ellipse(0.5, 0.835, 0.62, 0.04), strength=0.5, soft=0.015)
    canvas.cast(body, by=(0.04, 0.01), soft=0.04, strength=0.2)
    velvet = 0.93 + 0.08 * noise(71, 6, 5) + 0.025 * noise(72, 120, 120)
    canvas.paint(body, color, velvet, relief=0.5, depth=0.075)
    rim = np.clip(body - blurred(body, 0.006), 0, 1)
    canvas.pixels = canvas.pixels * (1 - 0.35 * rim)[..., None]
    return canvas
