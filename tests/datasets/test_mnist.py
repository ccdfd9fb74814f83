"""The bundled MNIST is the original, split as published unless asked otherwise; one's own files are read or refused."""

from __future__ import annotations

import gzip
import hashlib
import shutil

import numpy as np
import pytest

from chainrule.datasets import mnist, read_idx, write_idx
from chainrule.datasets.mnist import BUNDLED
from chainrule.errors import ConfigurationError, DataFileError

# The unpacked files, as published.
SHA256 = {
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture(scope="module")
def digits():
    return mnist()


@pytest.fixture(scope="module")
def files():
    return {name: read_idx(BUNDLED / name) for name in SHA256}


def write_own(folder, *, train=20, test=5, shape=(3, 2), seed=0, classes=4, spelling="{}-{}-idx{}-ubyte"):
    """A small data set of one's own, in MNIST's four files."""
    rng = np.random.default_rng(seed)
    for part, n in (("train", train), ("t10k", test)):
        images = rng.integers(0, 256, (n, *shape)).astype("uint8")
        write_idx(folder / spelling.format(part, "images", 3), images)
        write_idx(folder / spelling.format(part, "labels", 1), (np.arange(n) % classes).astype("uint8"))
    return folder


@pytest.mark.parametrize(("name", "digest"), list(SHA256.items()))
def test_the_bundled_files_are_the_original_ones(name, digest):
    assert hashlib.sha256(gzip.decompress((BUNDLED / name).read_bytes())).hexdigest() == digest


def test_the_data_carry_their_licence():
    licence = (BUNDLED / "LICENSE").read_text(encoding="utf-8")
    assert "CC BY-SA 3.0" in licence
    assert all(digest in licence for digest in SHA256.values())


def test_the_split_is_the_official_one(digits, files):
    images, labels, test_images, test_labels = files.values()
    np.testing.assert_array_equal(digits.train.x, images[:55000].reshape(-1, 784))
    np.testing.assert_array_equal(digits.train.y, labels[:55000])
    np.testing.assert_array_equal(digits.validation.x, images[55000:].reshape(-1, 784))
    np.testing.assert_array_equal(digits.validation.y, labels[55000:])
    np.testing.assert_array_equal(digits.test.x, test_images.reshape(-1, 784))
    np.testing.assert_array_equal(digits.test.y, test_labels)


def test_the_classes_are_counted(digits):
    official = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    train = np.bincount(digits.train.y, minlength=10) + np.bincount(digits.validation.y, minlength=10)
    assert train.tolist() == official
    assert np.bincount(digits.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.class_names == tuple("0123456789")
    assert digits.image_shape == (28, 28)
    assert digits.train.y[:5].tolist() == [5, 0, 4, 1, 9]


@pytest.mark.parametrize("random_split", [None, 10000])
def test_the_arrays_are_the_callers_own(tmp_path, random_split):
    folder = write_own(tmp_path, train=20000, test=20)
    first, second = (mnist(folder, validation=20, random_split=random_split) for _ in range(2))
    for part, other in zip(
        (first.train, first.validation, first.test), (second.train, second.validation, second.test), strict=True
    ):
        assert part.x.dtype == np.uint8
        assert part.y.dtype == np.int64
        for array, again in zip(part, other, strict=True):
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert not np.shares_memory(array, again)
    assert not np.shares_memory(first.train.x, first.validation.x)
    assert not np.shares_memory(first.train.x, first.test.x)


@pytest.mark.parametrize(
    ("validation", "rows"), [(0, 0), (1, 1), (19, 19), (0.1, 2), (0.5, 10), (0.001, 1), (np.int64(3), 3)]
)
def test_validation_is_rows_or_a_fraction_from_the_end(tmp_path, validation, rows):
    folder = write_own(tmp_path)
    dataset, whole = mnist(folder, validation=validation), mnist(folder, validation=0)
    assert whole.validation is None
    np.testing.assert_array_equal(dataset.train.x, whole.train.x[: 20 - rows])
    if rows:
        np.testing.assert_array_equal(dataset.validation.x, whole.train.x[20 - rows :])
        np.testing.assert_array_equal(dataset.validation.y, whole.train.y[20 - rows :])
    else:
        assert dataset.validation is None


@pytest.mark.parametrize(("random_split", "rows"), [(10000, 10000), (0.2, 14000)])
def test_a_random_split_shares_out_every_digit_once(files, random_split, rows):
    images, labels, test_images, test_labels = files.values()
    dataset = mnist(random_split=random_split, seed=7)
    parts = (dataset.train, dataset.validation, dataset.test)
    assert [len(part.x) for part in parts] == [70000 - rows - 5000, 5000, rows]

    def rows_with_labels(*pairs):
        table = np.concatenate([np.column_stack([x.reshape(len(x), -1), y.astype("uint8")]) for x, y in pairs])
        return sorted(row.tobytes() for row in table)

    assert rows_with_labels(*parts) == rows_with_labels((images, labels), (test_images, test_labels))


def test_a_random_split_is_repeated_by_its_seed(tmp_path):
    folder = write_own(tmp_path)
    one, same, other = (mnist(folder, validation=3, random_split=6, seed=seed) for seed in (1, 1, 2))
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(one, part).x, getattr(same, part).x)
        np.testing.assert_array_equal(getattr(one, part).y, getattr(same, part).y)
    assert not np.array_equal(one.test.x, other.test.x)
    assert len(one.test.x) == 6


def test_a_random_split_leaves_the_global_generator_alone(tmp_path):
    folder = write_own(tmp_path)
    before = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    mnist(folder, validation=3, random_split=6)
    after = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    assert before["pos"] == after["pos"]
    np.testing.assert_array_equal(before["key"], after["key"])


@pytest.mark.parametrize(
    "options",
    [
        {"validation": value}
        for value in (1.5, 1.0, -1, -0.1, 20, 70000, True, "5", None, float("nan"), float("inf"), 3.0, [5], 0.99)
    ]
    + [{"random_split": value, "validation": 0} for value in (0, 25, 1.0, -1, True, "10000", float("nan"))]
    + [{"random_split": 20, "validation": 5}]
    + [{"random_split": 5, "validation": 0, "seed": value} for value in (-1, 0.5, None, "0", True)],
    ids=str,
)
def test_a_senseless_split_is_refused(tmp_path, options):
    culprit = "seed" if "seed" in options else "validation" if options["validation"] != 0 else "random_split"
    with pytest.raises(ConfigurationError, match=rf"mnist: {culprit}=.*: expected .* For example {culprit}="):
        mnist(write_own(tmp_path), **options)


def test_a_refused_split_names_the_numbers():
    with pytest.raises(ConfigurationError, match=r"validation=70000: expected rows from 0 to 59,999 \(of 60,000;"):
        mnist(validation=70000)


@pytest.mark.parametrize("spelling", ["{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_ones_own_files_are_found_under_every_usual_name(tmp_path, spelling, end):
    dataset = mnist(str(write_own(tmp_path, spelling=spelling + end)), validation=5)
    assert dataset.image_shape == (3, 2)
    assert dataset.class_names == ("0", "1", "2", "3")
    assert dataset.train.x.shape == (15, 6)
    np.testing.assert_array_equal(dataset.test.y, [0, 1, 2, 3, 0])


def test_a_folder_of_the_same_name_is_not_taken_for_the_file(tmp_path):
    write_own(tmp_path, spelling="{}-{}.idx{}-ubyte")
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert len(mnist(tmp_path, validation=0).train.x) == 20


def test_the_shape_follows_the_header(tmp_path):
    folder = write_own(tmp_path, shape=(14, 56))
    dataset = mnist(folder, validation=0)
    assert dataset.image_shape == (14, 56)
    np.testing.assert_array_equal(
        dataset.train.x[0].reshape(dataset.image_shape), read_idx(folder / "train-images-idx3-ubyte")[0]
    )


def missing_folder(folder):
    shutil.rmtree(folder)


def missing_file(folder):
    (folder / "t10k-labels-idx1-ubyte").unlink()


def labels_as_images(folder):
    shutil.copy(folder / "train-labels-idx1-ubyte", folder / "train-images-idx3-ubyte")


def labels_of_the_other_part(folder):
    shutil.copy(folder / "t10k-labels-idx1-ubyte", folder / "train-labels-idx1-ubyte")


def other_image_size(folder):
    write_idx(folder / "t10k-images-idx3-ubyte", np.zeros((5, 2, 3), "uint8"))


def labels_of_another_type(folder):
    write_idx(folder / "train-labels-idx1-ubyte", np.zeros(20, "int32"))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (missing_folder, r"expected a folder with the four files of MNIST \(.+\)\. Check the path"),
        (
            missing_file,
            r"expected a file t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte\.gz or t10k-labels\.idx1-ubyte",
        ),
        (missing_file, r"received 3 files of other names\. Put it there, or call mnist\(\)"),
        (labels_as_images, r"train-images-idx3-ubyte: expected images .*0x00000803\), received labels .*0x00000801"),
        (labels_of_the_other_part, r"train-images-idx3-ubyte holds 20 images but train-labels-idx1-ubyte 5 labels"),
        (other_image_size, r"the training images are 3 x 2 but the test images 2 x 3"),
        (labels_of_another_type, r"train-labels-idx1-ubyte: expected items of uint8, received int32"),
    ],
)
def test_files_that_do_not_belong_together_are_named(tmp_path, spoil, text):
    folder = tmp_path / "own"
    folder.mkdir()
    spoil(write_own(folder))
    with pytest.raises(DataFileError, match=text):
        mnist(folder, validation=0)
