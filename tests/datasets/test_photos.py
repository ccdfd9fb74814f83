"""Photos of handwriting: pages drawn from the bundled test digits and spoiled as cameras, pens and files spoil them."""

import re
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

import chainrule as cr
from chainrule.datasets.ink import find_drawing, overlaps, resized
from chainrule.datasets.photos import as_digit

PENCIL, PAPER = 0.15, 0.9  # brightness


@pytest.fixture(scope="module")
def digits():
    return cr.datasets.mnist()


@pytest.fixture(scope="module")
def network(digits):
    network = cr.MLP([784, 64, 10], scale=1 / 255, seed=0)
    optimizer = cr.SGD(learning_rate=cr.OneCycle(0.15), momentum=0.9)
    cr.Trainer(network, cr.CrossEntropy(), optimizer, batch_size=64, seed=0).fit(*digits.train, epochs=2)
    return network


def page(ink, rng, *, side=140, share=0.6, noise=0.03, light=True, shadow=0.0, negative=False):
    """A page with such ink on `share` of its width, anywhere; lit from one side, vignetted, in shadow, and grainy."""
    size = round(share * side)
    top, left = rng.integers(0, side - size + 1, 2)
    sheet = np.zeros((side, side))
    sheet[top : top + size, left : left + size] = resized(ink, (size, size))
    brightness = PAPER + (PENCIL - PAPER) * sheet
    if negative:
        brightness = 1 - brightness
    y, x = np.meshgrid(*[np.linspace(-1, 1, side)] * 2, indexing="ij")
    if light:
        angle = rng.uniform(0, 2 * np.pi)
        brightness *= 0.7 + 0.2 * (np.cos(angle) * x + np.sin(angle) * y) - 0.1 * (x**2 + y**2)
    if shadow:
        angle = rng.uniform(0, 2 * np.pi)
        brightness[np.cos(angle) * x + np.sin(angle) * y > rng.uniform(-0.5, 0.5)] *= 1 - shadow
    return (brightness + noise * rng.standard_normal(sheet.shape)).clip(0, 1)


def pages(digits, count=200, **how):
    rng = np.random.default_rng(0)
    return [page(row.reshape(28, 28) / 255, rng, **how) for row in digits.test.x[:count]]


def prepared(picture):
    return as_digit(find_drawing(picture)).ravel()


def only_resized(picture):
    return (255 * (1 - resized(picture, (28, 28)))).round().astype(np.uint8).ravel()


def one(height=120, width=8, side=200):
    """A page with a single stroke, as uint8."""
    sheet = np.full((side, side), 230, np.uint8)
    sheet[40 : 40 + height, 60 : 60 + width] = 30
    return sheet


def saved(folder, array, name="photo.png", **how):
    path = folder / name
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(path, **how)
    return path


# What it is worth -------------------------------------------------------------------------------------------------


def test_small_shifted_digits_are_read_with_the_preparation_and_not_without(digits, network):
    y = digits.test.y[:600]
    photos = pages(digits, count=600)
    accuracy = {
        "as in MNIST": network.accuracy(digits.test.x[:600], y),
        "60 % size, shifted, unevenly lit, prepared": network.accuracy([prepared(photo) for photo in photos], y),
        "the same, only inverted and resized": network.accuracy([only_resized(photo) for photo in photos], y),
    }
    plain = pages(digits, count=600, noise=0, light=False)
    accuracy["60 % size, shifted, in perfect light, only inverted and resized"] = network.accuracy(
        [only_resized(photo) for photo in plain], y
    )
    print("\n".join(f"{100 * share:5.1f} %  {what}" for what, share in accuracy.items()))
    mnist, with_it, without_it, without_but_perfect_light = accuracy.values()
    assert mnist >= 0.95
    assert with_it >= 0.95
    assert with_it >= mnist - 0.01
    assert max(without_it, without_but_perfect_light) < 0.30


@pytest.mark.parametrize(
    "how",
    [
        {"side": 28, "noise": 0, "light": False},
        {"negative": True},
        {"noise": 0.1},
        {"shadow": 0.4},
        {"share": 1.0},
        {"side": 400, "share": 0.2},
        {"side": 600, "share": 0.1, "noise": 0.01},
    ],
    ids=lambda how: " ".join(f"{name}={value}" for name, value in how.items()),
)
def test_pages_of_all_kinds(digits, network, how):
    photos = pages(digits, count=60, **how)
    assert network.accuracy([prepared(photo) for photo in photos], digits.test.y[:60]) >= 0.95


def test_a_mnist_digit_comes_back_as_it_was(digits):
    for row in digits.test.x[:50]:
        before = row.reshape(28, 28) / 255
        assert np.abs(as_digit(find_drawing(1 - before)) / 255 - before).mean() < 0.06


# How it is made ---------------------------------------------------------------------------------------------------


def test_the_longer_side_is_20_pixels_and_the_ink_balances_at_14(digits):
    for picture in pages(digits, count=50, side=400):
        digit = as_digit(find_drawing(picture)).astype(float)
        for axis in (0, 1):
            assert digit.sum(axis=axis) @ np.arange(28) / digit.sum() == pytest.approx(14.0, abs=0.1)
        sides = [np.ptp(np.flatnonzero((digit > 127).any(axis=axis))) + 1 for axis in (0, 1)]
        assert max(sides) in (19, 20, 21)


def test_another_size_of_image_scales_along(tmp_path):
    path = saved(tmp_path, one())
    small, usual, large = (cr.datasets.read_photo(path, side=side) for side in (14, 28, 56))
    assert (small.shape, usual.shape, large.shape) == ((1, 196), (1, 784), (1, 3136))
    heights = [np.count_nonzero((x.reshape(side, side) > 127).any(axis=1)) for x, side in ((small, 14), (large, 56))]
    assert heights == pytest.approx([10, 40], abs=1)
    with pytest.raises(cr.ConfigurationError, match="side must be a whole number"):
        cr.datasets.read_photo(path, side=0)


@pytest.mark.parametrize(("n", "m", "step"), [(12, 4, 3.0), (13, 5, 2.6), (5, 5, 1.0), (4, 9, 4 / 9)])
def test_area_averages_keep_the_amount_of_ink_and_its_balance(n, m, step):
    weights = overlaps(n, m, step, n / 2)
    inside = slice(1, -1)
    np.testing.assert_allclose(weights.sum(axis=1)[inside], 1)
    if step >= 1:
        np.testing.assert_allclose(weights.sum(axis=0), 1 / step)
    middles = n / 2 + (np.arange(m) + 0.5 - m / 2) * step
    np.testing.assert_allclose(
        (weights @ (np.arange(n) + 0.5))[inside], middles[inside], atol=0.5 if step > 1 else 1e-12
    )


def test_a_shift_by_a_fraction_of_a_pixel_is_bilinear():
    np.testing.assert_allclose(overlaps(4, 4, 1.0, 2.25)[1], [0, 0.75, 0.25, 0])


def test_a_ballpoint_is_drawn_as_thick_as_the_pens_of_mnist(tmp_path):
    widths = []
    for width in (2, 4, 8, 16, 30):
        digit = cr.datasets.read_photo(saved(tmp_path, one(width=width))).reshape(28, 28) / 255
        widths.append(digit[14].sum())
    assert widths[:3] == pytest.approx([2.0, 2.0, 2.0], abs=0.4)
    assert widths[3:] == pytest.approx([20 * 16 / 120, 20 * 30 / 120], abs=0.2)


def test_specks_and_what_runs_off_the_page_are_left_out():
    clean = one()
    dirty = clean.copy()
    dirty[10:14, 180:184] = 30  # a speck
    dirty[:, 190:] = 20  # the table
    dirty[150:155, 100:110] = 30  # a smudge
    assert (prepared(dirty / 255) == prepared(clean / 255)).mean() > 0.97


def test_a_detached_bar_belongs_to_its_digit():
    five = np.full((200, 200), 230, np.uint8)
    five[60:160, 60:72] = five[60:72, 60:120] = 30
    with_bar = five.copy()
    with_bar[40:50, 60:130] = 30
    tops = [find_drawing(sheet / 255).place[0] * 200 for sheet in (five, with_bar)]
    assert tops == pytest.approx([60, 40])


# Kinds of files ---------------------------------------------------------------------------------------------------


def kinds():
    grey = Image.fromarray(one())
    ink = Image.fromarray(255 - one()).point(lambda value: 255 if value > 127 else 0)
    black_on_clear, white_on_clear = (Image.merge("RGBA", [Image.new("L", ink.size, c)] * 3 + [ink]) for c in (0, 255))
    palette = grey.convert("RGB").quantize(4)
    clear_palette = Image.fromarray((np.asarray(ink) > 0).astype(np.uint8))
    clear_palette = clear_palette.convert("P")
    clear_palette.putpalette([0, 0, 0, 0, 0, 0])
    turned = grey.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    deep = np.asarray(grey).astype(np.uint16) * 16  # 12 of 16 bits
    frames = [grey.convert("P"), Image.new("P", grey.size, 255)]
    return {
        "L.png": (grey, {}),
        "1.png": (grey.convert("1", dither=Image.Dither.NONE), {}),
        "LA.png": (black_on_clear.convert("LA"), {}),
        "RGBA.png": (black_on_clear, {}),
        "white on clear.png": (white_on_clear, {}),
        "P.png": (palette, {}),
        "P clear.png": (clear_palette, {"transparency": 0}),
        "16 bit.png": (Image.fromarray(deep), {}),
        "16 bit.tif": (Image.fromarray(deep), {}),
        "32 bit.tif": (Image.fromarray(deep.astype(np.int32)), {}),
        "float.tif": (Image.fromarray(np.asarray(grey) / np.float32(7)), {}),
        "RGB.jpg": (grey.convert("RGB"), {"quality": 60}),
        "CMYK.jpg": (grey.convert("CMYK"), {"quality": 90}),
        "turned.jpg": (turned, {"exif": exif}),
        "animated.gif": (frames[0], {"save_all": True, "append_images": frames[1:]}),
        "LONG NAME, \u6570\u5b57.bmp": (grey, {}),
    }


@pytest.mark.parametrize("name", kinds())
def test_every_kind_of_image_gives_the_same_digit(name, tmp_path):
    image, how = kinds()[name]
    got = cr.datasets.read_photo(saved(tmp_path, image, name, **how)).astype(int)
    wanted = cr.datasets.read_photo(saved(tmp_path, one())).astype(int)
    assert got.shape == (1, 784)
    assert np.abs(got - wanted).mean() < 5


def test_a_large_photo_is_made_smaller_first(tmp_path):
    large = np.kron(one(), np.ones((25, 25), np.uint8))  # 5,000 x 5,000
    got = cr.datasets.read_photo(saved(tmp_path, large, "large.jpg")).astype(int)
    assert np.abs(got - cr.datasets.read_photo(saved(tmp_path, one())).astype(int)).mean() < 5


# Bad files --------------------------------------------------------------------------------------------------------


def bomb(folder):
    """A PNG of a few bytes that claims 100,000 x 100,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0)
    path = folder / "bomb.png"
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT")
    return path


def written(folder, content, name="photo.png"):
    path = folder / name
    path.write_bytes(content)
    return path


def cut(folder, name):
    path = saved(folder, np.tile(one(), (4, 4)), name)
    return written(folder, path.read_bytes()[: path.stat().st_size // 2], name)


def grain(folder):
    return saved(folder, np.random.default_rng(0).normal(200, 12, (300, 300)).clip(0, 255).astype(np.uint8))


def two(folder):
    return saved(folder, np.hstack([one(side=200), one(side=200)]))


def nan(folder):
    return saved(folder, np.full((30, 30), np.nan, np.float32), "nan.tif")


BAD = {
    "missing": (lambda folder: folder / "photo.png", "there is no such file"),
    "folder": (lambda folder: folder, "is a folder, expected an image"),
    "text": (lambda folder: written(folder, b"a digit"), "is not an image"),
    "empty": (lambda folder: written(folder, b""), "is not an image"),
    "cut png": (lambda folder: cut(folder, "photo.png"), "is damaged or cut short"),
    "cut jpeg": (lambda folder: cut(folder, "photo.jpg"), "is damaged or cut short"),
    "bomb": (bomb, "has more than [0-9,]+ pixels"),
    "nan": (nan, "is damaged or cut short .it holds values that are not numbers"),
    "white": (lambda folder: saved(folder, np.full((300, 200), 255, np.uint8)), "no ink found: the picture is blank"),
    "one pixel": (lambda folder: saved(folder, np.full((1, 1), 9, np.uint8)), "no ink found"),
    "a line of pixels": (lambda folder: saved(folder, np.full((1, 3000), 9, np.uint8)), "no ink found"),
    "clear": (lambda folder: saved(folder, Image.new("RGBA", (99, 99))), "no ink found"),
    "grain": (grain, "no ink found: nothing stands out from the paper"),
    "two digits": (two, "holds 2 drawings of similar size, expected one. Cut them apart"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_named(kind, tmp_path):
    make, message = BAD[kind]
    path = make(tmp_path)
    with pytest.raises(cr.DataFileError, match=f"^{re.escape(str(path))}: {message}"):
        cr.datasets.read_photo(path)


def test_a_blank_page_in_uneven_light_is_blank(digits):
    blank = np.zeros((28, 28))
    rng = np.random.default_rng(0)
    for side in (28, 140, 400):
        for noise in (0, 0.01, 0.03, 0.1):
            with pytest.raises(cr.DataError, match="no ink found"):
                find_drawing(page(blank, rng, side=side, noise=noise))


def test_two_digits_of_mnist_are_two(digits):
    rng = np.random.default_rng(0)
    for a, b in zip(digits.test.x[:20], digits.test.x[20:40], strict=True):
        pair = np.zeros((56, 56))
        pair[14:42, :28], pair[14:42, 28:] = a.reshape(28, 28) / 255, b.reshape(28, 28) / 255
        with pytest.raises(cr.DataError, match="holds 2 drawings"):
            find_drawing(page(pair, rng, side=300))


def test_without_pillow_the_pip_line_is_given(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(cr.MissingExtraError, match=r"Reading photos needs pillow: pip install 'chainrule\[cli\]'"):
        cr.datasets.read_photo(tmp_path / "photo.png")
