"""Pictures for the demo, drawn here: a scene of each class of matters, as it was found and as it is after the work.

Illustrative, seeded, and plainly drawings; the same scene comes in both states, so that before and after match.
"""

import io
import math
import random
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw, ImageEnhance

WIDE, HIGH = 480, 360
FINE = 2  # drawn at twice the size, so that edges come out smooth
W, H = WIDE * FINE, HIGH * FINE
Colour = tuple[int, int, int]
Scene = Callable[[ImageDraw.ImageDraw, random.Random, bool], None]


def picture(category: str, seed: int, *, mended: bool, view: int = 0) -> bytes:
    """Return a JPEG of a scene; ``view`` is another look at the same place."""
    image = Image.new("RGB", (W, H), (200, 205, 208))
    SCENES[category](ImageDraw.Draw(image), random.Random(f"{category}-{seed}"), mended)
    rnd = random.Random(f"{category}-{seed}-{mended}-{view}")
    turn, edge = math.radians(rnd.uniform(-2.5, 2.5)), 0.05 + 0.09 * view + rnd.uniform(0, 0.04)
    left, top, zoom = WIDE * edge * rnd.uniform(0.6, 1), HIGH * edge * rnd.uniform(0.6, 1), 1 - 2 * edge
    across, up = zoom * math.cos(turn), zoom * math.sin(turn)
    image = image.reduce(FINE).transform(
        (WIDE, HIGH), Image.Transform.AFFINE, (across, -up, left, up, across, top), Image.Resampling.BILINEAR
    )
    image = ImageEnhance.Brightness(image).enhance(rnd.uniform(0.82, 1.1))
    image = ImageEnhance.Color(image).enhance(rnd.uniform(0.7, 1.0))
    image = Image.blend(image, _grain(), 0.07)
    image = Image.composite(image, Image.new("RGB", image.size), _vignette())
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78)
    return out.getvalue()


@cache
def _grain() -> Image.Image:
    return Image.effect_noise((WIDE, HIGH), 60).convert("RGB")


@cache
def _vignette() -> Image.Image:
    return Image.radial_gradient("L").resize((WIDE, HIGH)).point(lambda value: 255 - int(value**2 / 600))


def near(rnd: random.Random, colour: Colour, by: int = 14) -> Colour:
    """Return a colour like another."""
    shift = rnd.randint(-by, by)
    red, green, blue = (max(0, min(255, part + shift + rnd.randint(-5, 5))) for part in colour)
    return red, green, blue


def _x(*shares: float) -> list[tuple[float, float]]:
    """Return points of the picture from shares of its width and height."""
    return [(shares[i] * W, shares[i + 1] * H) for i in range(0, len(shares), 2)]


def sky_and_ground(draw: ImageDraw.ImageDraw, rnd: random.Random, horizon: float, ground: Colour) -> None:
    top, low = near(rnd, (150, 178, 205), 25), near(rnd, (222, 226, 226))
    for row in range(int(horizon * H)):
        share = row / (horizon * H)
        draw.line((0, row, W, row), fill=tuple(int(a + (b - a) * share) for a, b in zip(top, low, strict=True)))
    draw.rectangle((0, horizon * H, W, H), fill=near(rnd, ground))


def houses(draw: ImageDraw.ImageDraw, rnd: random.Random, horizon: float) -> None:
    left = -0.05
    while left < 1:
        wide, high = rnd.uniform(0.1, 0.24), rnd.uniform(0.16, 0.4)
        wall = near(rnd, rnd.choice([(188, 176, 160), (170, 172, 176), (196, 190, 178), (160, 140, 126)]))
        draw.rectangle(_x(left, horizon - high, left + wide, horizon), fill=wall)
        for row in range(int(high / 0.07)):
            for column in range(int(wide / 0.045)):
                x, y = left + 0.015 + column * 0.045, horizon - high + 0.02 + row * 0.07
                draw.rectangle(_x(x, y, x + 0.024, y + 0.036), fill=near(rnd, (92, 108, 122), 22))
        left += wide + rnd.uniform(0, 0.04)


def boxes(draw: ImageDraw.ImageDraw, rnd: random.Random, x: float, floor: float, number: int) -> None:
    for n in range(number):
        wide, high = rnd.uniform(0.09, 0.16), rnd.uniform(0.08, 0.14)
        left, low = x + (n % 3) * 0.1 + rnd.uniform(-0.02, 0.02), floor - (n // 3) * 0.11
        face = near(rnd, rnd.choice([(176, 138, 92), (160, 122, 80), (196, 164, 116)]))
        draw.rectangle(_x(left, low - high, left + wide, low), fill=face, outline=near(rnd, (112, 84, 52)), width=3)
        draw.rectangle(_x(left, low - high * 0.56, left + wide, low - high * 0.44), fill=near(rnd, (206, 188, 150)))


def cone(draw: ImageDraw.ImageDraw, x: float, y: float, size: float = 0.1) -> None:
    draw.polygon(_x(x, y - size, x - size * 0.3, y, x + size * 0.3, y), fill=(226, 96, 40))
    draw.polygon(_x(x - size * 0.1, y - size * 0.6, x + size * 0.1, y - size * 0.6, x + size * 0.17, y - size * 0.4,
                    x - size * 0.17, y - size * 0.4), fill=(240, 236, 228))  # fmt: skip
    draw.rectangle(_x(x - size * 0.4, y - 0.008, x + size * 0.4, y + 0.008), fill=(196, 78, 30))


def bike(draw: ImageDraw.ImageDraw, rnd: random.Random, x: float, y: float) -> None:
    r, frame = 0.07, near(rnd, rnd.choice([(40, 90, 140), (150, 40, 44), (60, 62, 66)]))
    for wheel in (x, x + 0.2):
        draw.ellipse(_x(wheel - r * 0.75, y - 2 * r, wheel + r * 0.75, y), outline=(34, 34, 36), width=9)
    draw.line(_x(x, y - r, x + 0.07, y - 0.19, x + 0.16, y - 0.2, x + 0.2, y - r), fill=frame, width=15)
    draw.polygon(_x(x + 0.01, y - 0.2, x + 0.1, y - 0.22, x + 0.1, y - 0.18), fill=(30, 30, 32))
    draw.line(_x(x + 0.16, y - 0.2, x + 0.15, y - 0.29, x + 0.11, y - 0.3), fill=(50, 50, 54), width=8)
    draw.line(_x(x + 0.07, y - 0.1, x - 0.1, y - 0.16, x - 0.2, y - 0.34), fill=(24, 24, 26), width=5)


def corridor(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Fire safety: a corridor with an exit at its end, blocked or clear."""
    wall, deep = near(rnd, (206, 202, 188), 20), rnd.uniform(0.3, 0.38)
    draw.polygon(_x(0, 0, deep, 0.28, deep, 0.66, 0, 1), fill=wall)
    draw.polygon(_x(1, 0, 1 - deep, 0.28, 1 - deep, 0.66, 1, 1), fill=near(rnd, wall, 10))
    draw.polygon(_x(0, 0, 1, 0, 1 - deep, 0.28, deep, 0.28), fill=near(rnd, (224, 222, 214)))
    draw.polygon(_x(0, 1, deep, 0.66, 1 - deep, 0.66, 1, 1), fill=near(rnd, (146, 140, 130), 18))
    draw.rectangle(_x(deep, 0.28, 1 - deep, 0.66), fill=near(rnd, wall, 12))
    draw.polygon(_x(0.46, 0.04, 0.54, 0.04, 0.52, 0.2, 0.48, 0.2), fill=(250, 248, 236))
    door = near(rnd, rnd.choice([(110, 64, 48), (88, 104, 112), (120, 110, 92)]))
    draw.rectangle(_x(0.43, 0.36, 0.57, 0.66), fill=door)
    draw.rectangle(_x(0.455, 0.3, 0.545, 0.34), fill=(34, 140, 84))
    for side in (0.08, 0.92):
        inner = side + (0.1 if side < 0.5 else -0.1)
        draw.polygon(_x(side, 0.3, inner, 0.35, inner, 0.78, side, 0.88), fill=near(rnd, door, 20))
    draw.rectangle(_x(0.26, 0.42, 0.3, 0.54), fill=(190, 34, 30))
    kind = rnd.random()
    if not mended:
        if kind < 0.6:
            boxes(draw, rnd, rnd.uniform(0.3, 0.5), rnd.uniform(0.86, 0.94), rnd.randint(3, 8))
        if kind > 0.4:
            bike(draw, rnd, rnd.uniform(0.34, 0.6), rnd.uniform(0.86, 0.95))


def tank_yard(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Chemicals and gas: tanks, pipes and bottles; a leak or none."""
    sky_and_ground(draw, rnd, 0.56, (150, 146, 138))
    for n in range(rnd.randint(2, 4)):
        left, high = 0.04 + n * 0.25 + rnd.uniform(-0.02, 0.02), rnd.uniform(0.3, 0.48)
        shell = near(rnd, (202, 204, 206), 18)
        draw.rectangle(_x(left, 0.62 - high, left + 0.19, 0.62), fill=shell)
        draw.rectangle(_x(left + 0.13, 0.62 - high, left + 0.19, 0.62), fill=near(rnd, (160, 164, 168), 6))
        draw.ellipse(_x(left, 0.58 - high, left + 0.19, 0.66 - high), fill=near(rnd, (218, 220, 220), 6))
        draw.rectangle(_x(left, 0.5, left + 0.19, 0.53), fill=rnd.choice([(200, 60, 44), (44, 92, 150)]))
    pipe = near(rnd, rnd.choice([(226, 182, 48), (120, 126, 130)]))
    draw.rectangle(_x(0, 0.66, 1, 0.7), fill=pipe)
    draw.line(_x(0, 0.665, 1, 0.665), fill=near(rnd, (250, 230, 170), 4), width=4)
    for n in range(6):
        draw.rectangle(_x(0.08 + n * 0.18, 0.64, 0.1 + n * 0.18, 0.78), fill=near(rnd, (90, 94, 96), 8))
    spot = rnd.uniform(0.3, 0.66)
    if not mended:
        draw.ellipse(_x(spot - 0.16, 0.8, spot + 0.18, 0.93), fill=near(rnd, (70, 62, 52), 10))
        draw.ellipse(_x(spot - 0.06, 0.83, spot + 0.1, 0.88), fill=near(rnd, (104, 96, 90), 8))
        draw.line(_x(spot, 0.7, spot + 0.01, 0.84), fill=(84, 74, 60), width=7)
    bottles = rnd.randint(1, 3)
    for n in range(bottles):
        x = 0.72 + n * 0.08
        paint = near(rnd, rnd.choice([(52, 96, 168), (200, 200, 196), (176, 60, 50)]))
        if mended or n:
            draw.rounded_rectangle(_x(x, 0.72, x + 0.055, 0.93), radius=24, fill=paint)
        else:
            draw.rounded_rectangle(_x(x - 0.1, 0.9, x + 0.1, 0.96), radius=22, fill=paint)
    if mended:
        draw.rectangle(_x(0.7, 0.82, 0.97, 0.835), fill=(226, 182, 48))


def building_site(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Construction: floors with edges, railed and netted or not."""
    sky_and_ground(draw, rnd, 0.8, (164, 146, 120))
    left, floors = rnd.uniform(0.06, 0.2), rnd.randint(3, 4)
    step, open_floor = 0.66 / floors, rnd.randrange(1, floors)
    concrete = near(rnd, (168, 166, 160), 16)
    for n in range(floors):
        low = 0.86 - n * step
        draw.rectangle(_x(left, low - step, 0.9, low), fill=near(rnd, (92, 90, 88), 10))
        for column in range(5):
            x = left + column * (0.88 - left) / 4
            draw.rectangle(_x(x, low - step, x + 0.03, low), fill=near(rnd, concrete, 5))
        draw.rectangle(_x(left - 0.02, low - 0.025, 0.92, low), fill=near(rnd, concrete, 8))
        if mended or n != open_floor:
            for rail in (0.05, 0.09):
                draw.line(_x(left, low - rail, 0.9, low - rail), fill=(214, 150, 30), width=6)
            if n % 2 == 0 or n == open_floor:
                mesh = near(rnd, (46, 120, 84), 8)
                draw.rectangle(_x(left, low - step * 0.62, 0.9, low - 0.02), outline=mesh, width=5)
                for k in range(34):
                    x = left + k * (0.9 - left) / 34
                    draw.line(_x(x, low - step * 0.62, x + 0.02, low - 0.02), fill=mesh, width=3)
        else:
            draw.line(_x(left + 0.1, low - 0.02, left + 0.24, low + 0.06), fill=(150, 110, 40), width=8)
    for pole in range(7):
        x = left - 0.03 + pole * (0.96 - left) / 6
        draw.line(_x(x, 0.14, x, 0.9), fill=near(rnd, (120, 116, 112), 8), width=5)
    boxes(draw, rnd, rnd.uniform(0.02, 0.1), 0.97, 1 if mended else 4)


def road(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Traffic: a road with a hole, or mended."""
    sky_and_ground(draw, rnd, 0.44, (132, 138, 112))
    houses(draw, rnd, 0.44)
    draw.polygon(_x(0.44, 0.44, 0.56, 0.44, 1.15, 1, -0.15, 1), fill=near(rnd, (96, 97, 100), 12))
    for n in range(5):
        y, end = 0.47 + n**1.5 * 0.05, 0.495 + n**1.5 * 0.062
        draw.polygon(_x(0.498, y, 0.502, y, 0.504 + n * 0.003, end, 0.496 - n * 0.003, end), fill=(232, 230, 222))
    gap = rnd.uniform(0.62, 0.74)
    for n in range(12):
        x, y = 0.58 + n * 0.045, 0.45 + n * 0.042
        if mended or not gap - 0.04 < x < gap + 0.1:
            draw.rectangle(_x(x, y, x + 0.006 + n * 0.001, y + 0.03 + n * 0.012), fill=(206, 208, 208))
            draw.line(_x(x, y + 0.01, x + 0.05, y + 0.052), fill=(188, 192, 194), width=4 + n)
    x, y, size = rnd.uniform(0.28, 0.5), rnd.uniform(0.74, 0.84), rnd.uniform(0.09, 0.15)
    if mended:
        draw.polygon(_x(x - size, y - 0.05, x + size, y - 0.06, x + size * 1.2, y + 0.06, x - size * 1.2, y + 0.06),
                     fill=near(rnd, (58, 59, 62), 4))  # fmt: skip
    else:
        draw.ellipse(_x(x - size, y - 0.05, x + size, y + 0.06), fill=near(rnd, (62, 56, 48), 6))
        draw.ellipse(_x(x - size * 0.7, y - 0.03, x + size * 0.6, y + 0.045), fill=near(rnd, (36, 34, 32), 4))
        for _crack in range(5):
            draw.line(_x(x, y, x + rnd.uniform(-0.3, 0.3), y + rnd.uniform(-0.08, 0.14)), fill=(52, 50, 50), width=4)
        if rnd.random() < 0.5:
            cone(draw, x + size * 1.3, y + 0.05)


def pavement(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Municipal facilities: a manhole, open or closed, among tiles."""
    tile = near(rnd, rnd.choice([(172, 164, 154), (184, 150, 130), (158, 160, 160)]), 14)
    draw.rectangle((0, 0, W, H), fill=near(rnd, (140, 134, 126)))
    for row in range(10):
        for column in range(-1, 8):
            x, y = column * 0.15 + (row % 2) * 0.075, row * 0.105
            draw.rectangle(_x(x, y, x + 0.143, y + 0.098), fill=near(rnd, tile, 7))
    if rnd.random() < 0.6:
        draw.rectangle(_x(0, 0, 1, 0.15), fill=near(rnd, (98, 99, 102)))
        draw.rectangle(_x(0, 0.15, 1, 0.2), fill=near(rnd, (200, 196, 188)))
    x, y, r = rnd.uniform(0.36, 0.6), rnd.uniform(0.5, 0.64), rnd.uniform(0.14, 0.19)
    draw.ellipse(_x(x - r * 1.1, y - r * 1.05, x + r * 1.1, y + r * 1.05), fill=near(rnd, (120, 116, 110)))
    iron = near(rnd, (82, 80, 80), 10)

    def lid(x: float, y: float) -> None:
        draw.ellipse(_x(x - r, y - r * 0.95, x + r, y + r * 0.95), fill=iron, outline=(54, 53, 53), width=7)
        for n in range(-3, 4):
            draw.line(_x(x - r * 0.75, y + n * r * 0.22, x + r * 0.75, y + n * r * 0.22), fill=(62, 61, 61), width=6)

    if mended:
        lid(x, y)
    else:
        draw.ellipse(_x(x - r, y - r * 0.95, x + r, y + r * 0.95), fill=(22, 20, 19))
        draw.chord(_x(x - r, y - r * 0.95, x + r, y + r * 0.95), 190, 350, fill=(58, 54, 50))
        if rnd.random() < 0.6:
            lid(x + r * (1.7 if x < 0.5 else -1.7), y + 0.12)
        else:
            cone(draw, x - r * 1.5, y + 0.1, 0.2)


def school(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Schools and public places: a fence with a gap, or whole."""
    sky_and_ground(draw, rnd, 0.6, (166, 150, 132))
    wall = near(rnd, rnd.choice([(206, 150, 110), (220, 206, 176), (186, 196, 204)]))
    draw.rectangle(_x(0.08, 0.16, 0.94, 0.62), fill=wall)
    draw.rectangle(_x(0.06, 0.13, 0.96, 0.17), fill=near(rnd, (140, 70, 56)))
    for row in range(3):
        for column in range(9):
            x, y = 0.12 + column * 0.092, 0.2 + row * 0.135
            draw.rectangle(
                _x(x, y, x + 0.06, y + 0.08), fill=near(rnd, (112, 134, 150), 16), outline=(236, 234, 228), width=4
            )
    draw.line(_x(0.5, 0.02, 0.5, 0.16), fill=(190, 190, 190), width=6)
    draw.rectangle(_x(0.5, 0.02, 0.58, 0.075), fill=(206, 40, 36))
    paint, gap = near(rnd, rnd.choice([(44, 84, 70), (60, 66, 84), (90, 62, 48)])), rnd.randint(8, 18)
    for bar in range(34):
        x = bar * 0.03
        if mended or not gap <= bar < gap + 4:
            draw.rectangle(_x(x, 0.52, x + 0.009, 0.86), fill=paint)
        elif bar == gap:
            draw.line(_x(x, 0.86, x + 0.1, 0.74), fill=paint, width=9)
    for y in (0.55, 0.82):
        if mended:
            draw.rectangle(_x(0, y, 1, y + 0.018), fill=paint)
        else:
            draw.rectangle(_x(0, y, gap * 0.03, y + 0.018), fill=paint)
            draw.rectangle(_x((gap + 4) * 0.03, y, 1, y + 0.018), fill=paint)
    if not mended and rnd.random() < 0.5:
        boxes(draw, rnd, rnd.uniform(0.1, 0.5), 0.96, 3)


def river(draw: ImageDraw.ImageDraw, rnd: random.Random, mended: bool) -> None:
    """Environment and disasters: a bank with rubbish and foul water, or clean."""
    sky_and_ground(draw, rnd, 0.36, (112, 128, 84))
    houses(draw, rnd, 0.36)
    water = near(rnd, (98, 124, 130), 14) if mended else near(rnd, (92, 96, 78), 14)
    draw.polygon(_x(0.2, 0.38, 0.62, 0.38, 0.86, 1, -0.2, 1), fill=water)
    for n in range(14):
        y, x = 0.4 + n * 0.042, rnd.uniform(0.05, 0.5)
        draw.line(_x(x, y, x + rnd.uniform(0.08, 0.26), y), fill=near(rnd, water, 18), width=4)
    draw.polygon(_x(0.62, 0.38, 0.66, 0.38, 0.98, 1, 0.86, 1), fill=near(rnd, (170, 166, 156)))
    draw.ellipse(_x(0.66, 0.56, 0.75, 0.67), fill=(70, 70, 70))
    if mended:
        for _tuft in range(26):
            x, y = rnd.uniform(0.74, 1), rnd.uniform(0.42, 0.96)
            draw.line(_x(x, y, x + rnd.uniform(-0.012, 0.012), y - 0.05), fill=near(rnd, (84, 120, 60), 18), width=5)
        return
    draw.polygon(_x(0.67, 0.62, 0.74, 0.62, 0.64, 0.9, 0.46, 0.86), fill=near(rnd, (54, 48, 38), 8))
    for _piece in range(rnd.randint(18, 34)):
        x, y, size = rnd.gauss(0.86, 0.05), rnd.gauss(0.78, 0.05), rnd.uniform(0.015, 0.05)
        paint = rnd.choice(
            [(228, 226, 220), (60, 100, 160), (200, 60, 50), (40, 40, 42), (210, 180, 60), (120, 100, 80)]
        )
        spots = _x(x, y - size, x + size, y - size * 0.2, x + size * 0.6, y + size, x - size * 0.7, y + size * 0.6)
        draw.polygon(spots, fill=near(rnd, paint))


SCENES: dict[str, Scene] = {
    "XF": corridor, "WH": tank_yard, "JZ": building_site, "JT": road, "SZ": pavement, "XY": school, "HJ": river,
}  # fmt: skip
