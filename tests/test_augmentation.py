"""Augmentation: moved pixels against NumPy and SciPy, chance that repeats and keeps its limits, input left alone."""

import math

import numpy as np
import pytest
from scipy import ndimage, sparse

import chainrule as cr
from chainrule.augmentation import plane, sample
from chainrule.configurable import from_json, to_json

H, W, N = 11, 7, 5
AFFINE = cr.RandomAffine((H, W), shift=3, rotate=40, scale=0.3, shear=20)
ELASTIC = cr.RandomElastic((H, W), alpha=30, sigma=2.5)
EACH = pytest.mark.parametrize("augmentation", [AFFINE, ELASTIC, cr.GaussianNoise(3.0)], ids=lambda a: type(a).__name__)
MOVING = pytest.mark.parametrize("augmentation", [AFFINE, ELASTIC], ids=lambda a: type(a).__name__)
OUTSIDE = {  # ours -> SciPy's, whose "constant" falls to zero at once beyond the last pixel's centre, where ours fades
    "zeros": "grid-constant",
    "edge": "nearest",
}
KNOWN = {cls.__name__: cls for cls in (cr.RandomAffine, cr.RandomElastic, cr.GaussianNoise)}


def rng(seed=0):
    return np.random.default_rng(seed)


def pixels(*shape, dtype="float64"):
    """Pixels of 0..255, none of them special."""
    return rng(9).uniform(0, 255, shape).astype(dtype)


def moved(images, matrix, shift=(0, 0), outside="zeros"):
    """What `sample` makes of one map for all images: y[p] = x[matrix p - shift]."""
    maps = np.concatenate([matrix, -np.reshape(shift, (2, 1))], axis=1).astype(images.dtype)
    return sample(images, maps @ plane(images)[None].repeat(len(images), axis=0), outside).reshape(images.shape)


# Where the pixels go --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "still",
    [
        cr.RandomAffine((H, W), shift=0, rotate=0, scale=0),
        cr.RandomElastic((H, W), alpha=0),
        cr.GaussianNoise(0),
    ],
    ids=repr,
)
def test_nothing_moved_is_nothing_changed_to_the_bit(still, dtype):
    x = pixels(N, H * W, dtype=dtype)
    y = still(x, rng())
    np.testing.assert_array_equal(y, x)
    assert not np.shares_memory(y, x)


@pytest.mark.parametrize("down", [-20, -8, -1, 0, 3, 11])
@pytest.mark.parametrize("right", [-7, -2, 0, 1, 6, 30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_pixels_are_a_roll_with_zeros_to_the_bit(down, right, dtype):
    x = pixels(N, H, W, 3, dtype=dtype)
    framed = np.pad(x, [(0, 0), (H, H), (W, W), (0, 0)])
    rolled = np.roll(framed, (max(-H, min(H, down)), max(-W, min(W, right))), axis=(1, 2))[:, H:-H, W:-W]
    np.testing.assert_array_equal(moved(x, np.eye(2), (down, right)), rolled)


@pytest.mark.parametrize("quarters", range(4))
def test_quarter_turns_are_those_of_numpy_to_the_bit(quarters):
    x = pixels(N, 9, 9, 2, dtype="float32")
    cos, sin = round(math.cos(quarters * math.pi / 2)), round(math.sin(quarters * math.pi / 2))
    np.testing.assert_array_equal(moved(x, [[cos, sin], [-sin, cos]]), np.rot90(x, quarters, axes=(1, 2)))


@pytest.mark.parametrize(("dtype", "bar"), [("float32", 255e-5), ("float64", 1e-11)])
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("seed", range(20))
def test_any_map_is_that_of_scipy(seed, outside, dtype, bar):
    x = pixels(2, H, W, 1, dtype=dtype)
    matrix, shift = rng(seed).normal(size=(2, 2)), rng(seed + 100).uniform(-4, 4, 2)
    centre = np.array([(H - 1) / 2, (W - 1) / 2])
    ours = moved(x, matrix, shift, outside)
    for image, expected in zip(ours[..., 0], x[..., 0].astype("float64"), strict=True):
        there = centre - matrix @ centre - shift
        theirs = ndimage.affine_transform(expected, matrix, there, order=1, mode=OUTSIDE[outside])
        np.testing.assert_allclose(image, theirs, rtol=0, atol=bar)


def test_inside_the_image_both_of_scipys_modes_agree_with_ours():
    """With a margin of zeros, as digits have, nothing depends on how the edge is treated."""
    x = np.pad(pixels(1, H, W), [(0, 0), (4, 4), (4, 4)])[..., None]
    matrix = np.array([[0.9, 0.2], [-0.3, 1.1]])
    centre = (np.array(x.shape[1:3]) - 1) / 2
    for mode in ("constant", "grid-constant"):
        theirs = ndimage.affine_transform(x[0, ..., 0], matrix, centre - matrix @ centre, order=1, mode=mode)
        np.testing.assert_allclose(moved(x, matrix)[0, ..., 0], theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", [cr.RandomAffine, cr.RandomElastic])
def test_paper_stays_paper_where_the_edge_goes_on(kind):
    x = np.full((N, H, W), 200.0)
    assert (kind(outside="edge")(x, rng()) == 200).all()
    assert kind()(x, rng()).min() < 200
    with pytest.raises(cr.ConfigurationError, match=r"outside 'edges' is unknown\. Did you mean 'edge'\?"):
        kind(outside="edges")


@MOVING
def test_many_images_are_moved_as_one_alone(augmentation, monkeypatch):
    x = pixels(N, H * W)
    together = augmentation(x, rng())
    monkeypatch.setattr("chainrule.augmentation.BLOCK", 1)
    np.testing.assert_array_equal(augmentation(x, rng()), together)


# What is drawn --------------------------------------------------------------------------------------------------------


def taken_apart(maps):
    """What a map (A | -A t) was made of: A is the inverse of a slant, then a turn, then a change of size."""
    down, right = -np.linalg.solve(maps[..., :2], maps[..., 2:])[..., 0].T
    forward = np.linalg.inv(maps[..., :2])
    scale = np.sqrt(np.linalg.det(forward))
    cos, sin = forward[:, 1, 1] / scale, -forward[:, 0, 1] / scale  # a slant leaves the second axis where it is
    slanted = np.array([[cos, sin], [-sin, cos]]).transpose(2, 0, 1) @ forward
    slanted /= scale[:, None, None]
    np.testing.assert_allclose(slanted[:, [0, 0, 1], [0, 1, 1]], [[1, 0, 1]] * len(maps), atol=1e-12)
    return {
        "down": down,
        "right": right,
        "turn": np.degrees(np.arctan2(sin, cos)),
        "slant": np.degrees(np.arctan(slanted[:, 1, 0])),
        "scale": scale,
    }


@pytest.fixture(scope="module")
def drawn():
    return taken_apart(AFFINE.maps(4000, rng(1)))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("down", -3, 3), ("right", -3, 3), ("turn", -40, 40), ("slant", -20, 20), ("scale", 0.7, 1.3)],
)
def test_what_is_drawn_is_uniform_within_its_limits(drawn, name, low, high):
    """The largest gap between the sorted values and a straight line, Kolmogorov's, is below 1.95 / sqrt(n) at 0.1 %."""
    share = (np.sort(drawn[name]) - low) / (high - low)
    assert share[0] > -1e-12
    assert share[-1] < 1 + 1e-12
    assert np.abs(share - np.linspace(0, 1, len(share))).max() < 1.95 / math.sqrt(len(share))


def test_what_is_drawn_is_drawn_independently(drawn):
    correlations = np.corrcoef(list(drawn.values()))
    np.testing.assert_allclose(correlations, np.eye(len(drawn)), atol=4 / math.sqrt(4000))


@pytest.mark.parametrize("sigma", [1, 2.5, 4, 7])
@pytest.mark.parametrize("length", [7, 28, 31])
def test_the_coarse_grid_bends_as_noise_on_every_pixel_would(sigma, length):
    """R z has the covariance R R^T; that of white noise under a Gaussian at distance r is exp(-r^2 / (4 sigma^2))."""
    R = cr.RandomElastic(sigma=sigma).bumps(length)
    r = np.arange(length)[:, None] - np.arange(length)
    np.testing.assert_allclose(R @ R.T, np.exp(-(r**2) / (4 * sigma**2)), rtol=0, atol=2e-4)


def test_elastic_displacements_are_of_that_covariance_along_rows_and_columns_and_the_axes_do_not_mix():
    d = cr.RandomElastic(alpha=34, sigma=4).displacements(4000, 12, 16, rng())
    deviation = 34 / (2 * math.sqrt(3 * math.pi) * 4)
    np.testing.assert_allclose(d.std(axis=0), deviation, rtol=0.06)
    np.testing.assert_allclose(d.mean(axis=0), 0, atol=0.1)
    for one, other in ((d[:, :, 3:], d[:, :, :-3]), (d[..., 3:], d[..., :-3])):
        assert (one * other).mean() / deviation**2 == pytest.approx(math.exp(-9 / 64), abs=0.02)
    assert abs((d[:, 0] * d[:, 1]).mean()) < 0.05


def test_alpha_and_sigma_mean_what_they_do_in_the_paper():
    """Simard's own way, by SciPy: uniform noise in [-1, 1], smoothed, times alpha."""
    noise = rng().uniform(-1, 1, (300, 60, 60))
    smooth = np.array([ndimage.gaussian_filter(field, 3.0, truncate=6)[20:40, 20:40] for field in noise])
    ours = cr.RandomElastic(alpha=50, sigma=3).displacements(300, 20, 20, rng(1))
    assert ours.std() == pytest.approx(50 * smooth.std(), rel=0.03)


def test_noise_is_normal_in_the_units_of_x():
    noise = cr.GaussianNoise(12)(np.full((100, 50), 100.0), rng()) - 100
    assert noise.std() == pytest.approx(12, rel=0.03)
    assert abs(noise.mean()) < 0.5
    assert np.mean(np.abs(noise) > 24) == pytest.approx(0.0455, abs=0.01)


@EACH
def test_the_same_generator_gives_the_same_batch_and_another_one_another(augmentation):
    x = pixels(N, H * W)
    np.testing.assert_array_equal(augmentation(x, rng(3)), augmentation(x, rng(3)))
    assert (augmentation(x, rng(3)) != augmentation(x, rng(4))).any(axis=1).all()


@EACH
def test_every_row_is_changed_by_chance_of_its_own(augmentation):
    """Equal rows come out different; and what comes out of a row does not depend on the others."""
    x = np.tile(pixels(1, H * W), (N, 1))
    y = augmentation(x, rng())
    assert len(np.unique(y, axis=0)) == N
    other = x.copy()
    other[1:] = 7
    np.testing.assert_array_equal(augmentation(other, rng())[0], y[0])


# What comes in and goes out -------------------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(N, H * W), (N, H, W), (N, H, W, 1), (N, H, W, 3), (1, H * W)])
def test_shape_and_type_stay_and_the_input_is_not_touched(augmentation, shape, dtype):
    x = pixels(*shape, dtype=dtype)
    before = x.copy()
    x.flags.writeable = False
    y = augmentation(x, rng())
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert y.flags.writeable and not np.shares_memory(x, y)
    np.testing.assert_array_equal(x, before)


@MOVING
def test_flat_rows_images_and_channels_are_moved_alike(augmentation):
    x = pixels(N, H, W)
    y = augmentation(x, rng())
    np.testing.assert_array_equal(augmentation(x.reshape(N, -1), rng()), y.reshape(N, -1))
    np.testing.assert_array_equal(augmentation(np.stack([x, 2 * x], axis=-1), rng())[..., 1], 2 * y)
    np.testing.assert_array_equal(augmentation(np.asfortranarray(x), rng()), y)


@pytest.mark.parametrize("kind", [cr.RandomAffine, cr.RandomElastic])
def test_square_images_need_no_image_shape(kind):
    x = pixels(N, 64)
    np.testing.assert_array_equal(kind()(x, rng()), kind((8, 8))(x, rng()))


@EACH
def test_an_augmentation_is_the_code_that_makes_it(augmentation):
    x = pixels(N, H * W)
    for other in (eval(repr(augmentation), vars(cr)), augmentation.clone(), from_json(to_json(augmentation), KNOWN)):
        assert repr(other) == repr(augmentation)
        np.testing.assert_array_equal(other(x, rng()), augmentation(x, rng()))


def test_numpy_numbers_become_plain_ones():
    x = pixels(2, 64, dtype="float32")
    for augmentation in (cr.RandomAffine(shift=np.float64(2)), cr.GaussianNoise(np.float64(2))):
        assert augmentation(x, rng()).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (
            lambda: cr.RandomAffine(shift=-1),
            cr.ConfigurationError,
            r"RandomAffine: shift must be a number in \[0, inf\)",
        ),
        (lambda: cr.RandomAffine(rotate=181), cr.ConfigurationError, r"rotate must be a number in \[0, 180\]"),
        (lambda: cr.RandomAffine(scale=1), cr.ConfigurationError, r"scale must be a number in \[0, 1\), received 1"),
        (lambda: cr.RandomAffine(shear=90), cr.ConfigurationError, r"shear must be a number in \[0, 90\)"),
        (lambda: cr.RandomAffine(scale="0.1"), cr.ConfigurationError, "scale must be a number"),
        (lambda: cr.RandomAffine(28), cr.ConfigurationError, r"image_shape must be \(H, W\) or None, received 28"),
        (lambda: cr.RandomAffine((28, 28, 1)), cr.ConfigurationError, r"image_shape must be \(H, W\) or None"),
        (lambda: cr.RandomElastic((0, 28)), cr.ConfigurationError, r"image_shape must be a whole number in \[1, inf\)"),
        (lambda: cr.RandomElastic(alpha=float("nan")), cr.ConfigurationError, r"alpha must be a number in \[0, inf\)"),
        (lambda: cr.RandomElastic(sigma=0.5), cr.ConfigurationError, r"sigma must be a number in \[1, inf\)"),
        (lambda: cr.GaussianNoise(-1), cr.ConfigurationError, r"GaussianNoise: std must be a number in \[0, inf\)"),
        (
            lambda: cr.RandomAffine((28, 28))(np.zeros((5, 100)), rng()),
            cr.ShapeError,
            r"RandomAffine\(\(28, 28\)\): expected images of 28 by 28, as x of shape \(N, 784\), \(N, 28, 28\) or "
            r"\(N, 28, 28, C\), received \(5, 100\). Say image_shape",
        ),
        (lambda: cr.RandomElastic()(np.zeros((5, 77)), rng()), cr.ShapeError, r"of 8 by 8.*received \(5, 77\)"),
        (lambda: cr.RandomAffine((8, 8))(np.zeros((5, 8, 9)), rng()), cr.ShapeError, r"8 by 8.*received \(5, 8, 9\)"),
        (
            lambda: cr.RandomAffine()(np.zeros(64), rng()),
            cr.DataError,
            r"shape \(64,\).*one example a batch, x\[None\]",
        ),
        (lambda: cr.RandomAffine()(sparse.eye_array(9), rng()), cr.DataError, "a sparse matrix"),
        (lambda: cr.RandomAffine()(np.zeros((2, 8, 8, 1, 1)), rng()), cr.ShapeError, r"received \(2, 8, 8, 1, 1\)"),
        (
            lambda: cr.GaussianNoise(1)(np.zeros((2, 4), np.uint8), rng()),
            cr.DataError,
            r"GaussianNoise\(1\): expected a batch of floats.*ndarray of uint8.*astype",
        ),
        (lambda: cr.GaussianNoise(1)(np.zeros((2, 4)), 0), cr.ConfigurationError, "a generator such as.*received 0"),
        (lambda: cr.GaussianNoise(1)(np.zeros((2, 4)), None), cr.ConfigurationError, "a generator such as.*None"),
        (lambda: cr.Augmentation()(np.zeros((2, 4)), rng()), NotImplementedError, r"must define apply\(x, rng\)"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()
