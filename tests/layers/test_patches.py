"""im2col reads what a window sees, col2im adds it back: each by its definition, entry by entry, and as adjoints."""

import numpy as np
import pytest

from chainrule.layers.patches import Window, col2im, im2col

SHAPE = (2, 7, 5, 3)
WINDOWS = {
    "alone": Window((1, 1)),
    "overlapping": Window((3, 2)),
    "side by side": Window((2, 2), stride=(2, 2)),
    "with gaps between": Window((2, 1), stride=(3, 2)),
    "spread out": Window((3, 2), dilation=(2, 3)),
    "framed": Window((3, 3), padding=((1, 2), (0, 3))),
    "all of it": Window((2, 3), (3, 1), (2, 1), ((1, 0), (2, 2))),
    "the whole image": Window((7, 5)),
}


@pytest.fixture(params=WINDOWS.values(), ids=WINDOWS)
def window(request):
    return request.param


def images():
    return np.random.default_rng(0).standard_normal(SHAPE)


def seen(window):
    """(patch entry, image entry) of all that is not padding, by the definition."""
    N, H, W, C = SHAPE
    H_out, W_out = window.places(H, W)
    for n, i, j, r, s, c in np.ndindex(N, H_out, W_out, *window.size, C):
        h = i * window.stride[0] + r * window.dilation[0] - window.padding[0][0]
        w = j * window.stride[1] + s * window.dilation[1] - window.padding[1][0]
        if 0 <= h < H and 0 <= w < W:
            yield (n, i, j, r, s, c), (n, h, w, c)


def test_every_patch_holds_what_lies_under_the_window(window):
    x = images()
    expected = np.full(im2col(x, window).shape, -7.0)
    for patch, pixel in seen(window):
        expected[patch] = x[pixel]
    np.testing.assert_array_equal(im2col(x, window, fill=-7.0), expected)


def test_every_entry_of_a_patch_is_added_where_it_was_read(window):
    patches = np.random.default_rng(1).standard_normal(im2col(images(), window).shape)
    expected = np.zeros(SHAPE)
    for patch, pixel in seen(window):
        expected[pixel] += patches[patch]
    np.testing.assert_allclose(col2im(patches, SHAPE, window), expected, atol=1e-14)


def test_they_are_adjoint(window):
    x = images()
    patches = np.random.default_rng(1).standard_normal(im2col(x, window).shape)
    assert np.vdot(im2col(x, window), patches) == pytest.approx(np.vdot(x, col2im(patches, SHAPE, window)), rel=1e-12)


def test_nothing_is_copied_without_padding_and_nothing_can_be_written():
    x = images()
    patches = im2col(x, WINDOWS["overlapping"])
    assert np.shares_memory(patches, x)
    assert not patches.flags.writeable


def test_the_numbers_keep_their_type(window):
    x = images().astype("float32")
    assert im2col(x, window).dtype == col2im(im2col(x, window), SHAPE, window).dtype == np.float32
