"""Pooling at its edges: ties, padding, infinities, and patches that overlap."""

import numpy as np
import pytest

import chainrule as cr


def image(*rows):
    return np.array(rows, float)[None, :, :, None]


def gradient(layer, x, dy):
    _, cache = layer.forward(x)
    return layer.backward(dy, cache)[0, :, :, 0].tolist()


def test_of_equals_the_first_in_reading_order_gets_the_gradient():
    assert gradient(cr.MaxPool2D(2), image([3, 5], [5, 5]), image([2])) == [[0, 2], [0, 0]]
    assert gradient(cr.MaxPool2D(2), image([1, 1], [1, 1]), image([2])) == [[2, 0], [0, 0]]


def test_one_pixel_may_be_the_largest_of_several_patches():
    assert gradient(cr.MaxPool2D(2, stride=1), image([0, 9, 0], [0, 0, 0]), image([2, 3])) == [[0, 5, 0], [0, 0, 0]]


def test_padding_is_never_the_largest_and_is_not_averaged():
    x = image([-4, -2], [-3, -1])
    assert cr.MaxPool2D(2, stride=1, padding=1)(x)[0, :, :, 0].tolist() == [[-4, -2, -2], [-3, -1, -1], [-3, -1, -1]]
    assert cr.AvgPool2D(2, stride=2, padding=1)(x)[0, :, :, 0].tolist() == [[-4, -2], [-3, -1]]
    assert cr.AvgPool2D(3, stride=2, padding="same")(x)[0, :, :, 0].tolist() == [[-2.5]]


def test_what_is_no_number_stays_visible():
    assert np.isnan(cr.MaxPool2D(2)(image([1, np.nan], [2, 3]))).all()


def test_what_no_patch_reaches_has_no_gradient():
    assert gradient(cr.AvgPool2D(2), image([1, 1, 1], [1, 1, 1]), image([4])) == [[1, 1, 0], [1, 1, 0]]


def test_global_pooling_takes_images_of_any_size():
    layer = cr.GlobalAvgPool2D()
    for H, W in ((1, 1), (3, 2)):
        x = np.random.default_rng(0).standard_normal((2, H, W, 5))
        np.testing.assert_allclose(layer(x), x.reshape(2, -1, 5).mean(axis=1), rtol=1e-12)


@pytest.mark.parametrize("pool", [cr.MaxPool2D, cr.AvgPool2D])
def test_a_patch_of_padding_alone_is_refused(pool):
    for size, padding in ((2, 2), ((3, 1), (0, 1))):
        with pytest.raises(cr.ConfigurationError, match=f"{pool.__name__}: padding.*less than size"):
            pool(size, padding=padding)
    with pytest.raises(cr.ConfigurationError, match="stride"):
        pool(2, stride=0)
