"""`chainrule predict`, run as people run it: good photos, bad ones among them, and networks that cannot read photos."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

import chainrule as cr
from chainrule.datasets.ink import resized
from command_line import here

NO_INK = "no ink found: the picture is blank."


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with a trained network."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    folder.mkdir()
    digits = cr.datasets.mnist()
    network = cr.MLP([784, 64, 10], scale=1 / 255, class_names=digits.class_names, seed=0)
    optimizer = cr.SGD(learning_rate=cr.OneCycle(0.15), momentum=0.9)
    cr.Trainer(network, cr.CrossEntropy(), optimizer, batch_size=64, seed=0).fit(*digits.train, epochs=1)
    cr.save(network, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder with photos of the first five test digits, 7 2 1 0 4, and a blank page."""
    folder = tmp_path_factory.mktemp("photos")
    for name, row in zip(("seven", "two", "one", "zero", "four"), cr.datasets.mnist().test.x, strict=False):
        page = np.zeros((200, 300))
        page[30:170, 100:240] = resized(row.reshape(28, 28) / 255, (140, 140))
        Image.fromarray((230 - 190 * page).astype(np.uint8)).save(folder / f"{name}.png")
    Image.fromarray(np.full((200, 300), 230, np.uint8)).save(folder / "blank.png")
    return folder


@pytest.fixture
def predict(monkeypatch, capsys):
    """The command in this process; exit code, output and errors as lines."""

    def call(*arguments):
        code, out, err = here(monkeypatch, capsys, "predict", *arguments)
        return code, out.splitlines(), err.splitlines()

    return call


def constant(folder, probabilities, **how):
    """A network that gives every image these probabilities."""
    network = cr.Network(cr.Linear(784, len(probabilities)), **({"output": "softmax"} | how))
    network.params[...] = 0
    network.layers[0].b = np.log(probabilities)
    path = folder / "constant.safetensors"
    cr.save(network, path)
    return path


def test_photos_are_answered_one_a_line(run, photos, predict, tmp_path):
    files = [photos / f"{name}.png" for name in ("seven", "two", "one", "zero", "four")]
    code, out, err = predict(run, *files, "--output", tmp_path / "seen")
    assert (code, err) == (0, [])
    for line, file, digit in zip(out, files, "72104", strict=False):
        answer = line.removeprefix(f"{file}: ").removeprefix("not sure: ")
        assert answer.startswith(f"{digit} ("), line
        assert answer.endswith(" %)")
        assert " %), then " in answer
    names = [f"{file.stem}-seen.png" for file in files]
    assert out[5:] == [f"{tmp_path / 'seen'}: {', '.join(names)}"]
    assert sorted(os.listdir(tmp_path / "seen")) == sorted(names)
    for name in names:
        picture = matplotlib.image.imread(tmp_path / "seen" / name)
        assert picture.std() > 0.1
        assert min(picture.shape[:2]) > 300


def test_the_pictures_are_put_beside_the_model_and_not_beside_the_photos(run, photos, predict):
    before = sorted(os.listdir(photos))
    for name in (run, run / "model.safetensors"):
        assert predict(name, photos / "two.png")[0] == 0
        assert (run / "predictions" / "two-seen.png").exists()
        (run / "predictions" / "two-seen.png").unlink()
    assert sorted(os.listdir(photos)) == before


def test_a_bad_file_does_not_stop_the_others(run, photos, predict, tmp_path):
    (tmp_path / "notes.png").write_text("a digit")
    files = [
        tmp_path / "lost.png",
        photos / "one.png",
        tmp_path / "notes.png",
        photos / "blank.png",
        photos / "two.png",
    ]
    code, out, err = predict(run, *files, "--output", tmp_path / "seen")
    assert code == 1
    assert [line.split(": ")[0] for line in out] == [
        str(photos / "one.png"),
        str(photos / "two.png"),
        str(tmp_path / "seen"),
    ]
    assert err == [
        f"error: {tmp_path / 'lost.png'}: there is no such file, expected an image. Check the path.",
        f"error: {tmp_path / 'notes.png'}: is not an image that can be read. PNG and JPEG can be.",
        f"error: {photos / 'blank.png'}: {NO_INK}",
    ]


def test_nothing_is_left_behind_when_no_photo_can_be_read(run, photos, predict, tmp_path):
    code, out, err = predict(run, photos / "blank.png", "--output", tmp_path / "seen")
    assert (code, out, len(err)) == (1, [], 1)
    assert os.listdir(tmp_path) == []


def test_two_photos_of_the_same_name_leave_two_pictures(run, photos, predict, tmp_path):
    (tmp_path / "two.png").write_bytes((photos / "seven.png").read_bytes())
    code, out, _ = predict(run, photos / "two.png", tmp_path / "two.png", "--output", tmp_path / "seen")
    assert code == 0
    assert out[2].endswith(": two-seen.png, two-2-seen.png")
    first, second = (matplotlib.image.imread(tmp_path / "seen" / name) for name in ("two-seen.png", "two-2-seen.png"))
    assert first.shape != second.shape or not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("probabilities", "answer"),
    [
        ([0.601, 0.399], "a (60.1 %), then b (39.9 %)"),
        ([0.41, 0.59], "not sure: b (59.0 %), then a (41.0 %)"),
        ([1e-6, 1 - 1e-6], "b (>99.9 %), then a (<0.1 %)"),
    ],
)
def test_it_says_how_sure_it_is(probabilities, answer, photos, predict, tmp_path):
    model = constant(tmp_path, probabilities, class_names=["a", "b"])
    assert predict(model, photos / "two.png")[1][0] == f"{photos / 'two.png'}: {answer}"


def test_classes_without_names_go_by_number_and_other_shapes_of_input_are_filled(photos, predict, tmp_path):
    network = cr.Network(cr.Flatten(), cr.Linear(400, 3), in_shape=(20, 20, 1), output="softmax")
    network.layers[1].W, network.layers[1].b = 0 * network.layers[1].W, np.log([0.1, 0.7, 0.2])
    cr.save(network, tmp_path / "other.safetensors")
    _, out, _ = predict(tmp_path / "other.safetensors", photos / "two.png")
    assert out[0].endswith("two.png: 1 (70.0 %), then 2 (20.0 %)")


def test_a_yes_or_no_network_can_be_asked(photos, predict, tmp_path):
    network = cr.Network(cr.Linear(784, 1), output="sigmoid", class_names=["no", "yes"])
    network.params[...] = 0
    network.layers[0].b = [np.log(3)]
    cr.save(network, tmp_path / "yes.safetensors")
    assert predict(tmp_path / "yes.safetensors", photos / "two.png")[1][0].endswith(": yes (75.0 %), then no (25.0 %)")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (lambda: cr.MLP([5, 3], output="softmax"), r"reads examples of shape \(5,\), expected square images in grey"),
        (lambda: cr.MLP([784, 3], output="identity"), "output is 'identity' of shape .3,., expected one that chooses"),
        (lambda: cr.MLP([784, 1], output="exp"), "output is 'exp' of shape .1,., expected one that chooses"),
        (lambda: cr.MLP([784, 3], output="sigmoid"), "output is 'sigmoid' of shape .3,., expected one that chooses"),
    ],
)
def test_a_network_that_cannot_read_photos_is_refused(network, message, photos, predict, tmp_path):
    cr.save(network(), tmp_path / "odd.safetensors")
    code, out, err = predict(tmp_path / "odd.safetensors", photos / "two.png")
    assert (code, out) == (2, [])
    assert len(err) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err[0])


def test_a_run_that_is_none_is_refused(photos, predict, tmp_path):
    code, _, err = predict(tmp_path, photos / "two.png")
    assert code == 2
    assert err == [
        f"error: {tmp_path} holds no model.safetensors: expected a folder that chainrule train left, or a model file."
    ]
    assert predict(tmp_path / "nowhere", photos / "two.png")[0] == 2
    (tmp_path / "broken.safetensors").write_bytes(b"weights")
    code, _, err = predict(tmp_path / "broken.safetensors", photos / "two.png")
    assert code == 1
    assert err[0].startswith(f"error: {tmp_path / 'broken.safetensors'}: ")


def test_help_shows_what_to_type(predict):
    code, out, _ = predict("--help")
    text = "\n".join(out)
    assert code == 0
    assert "chainrule predict runs/mine three.jpg seven.png" in text
    assert 'cr.datasets.read_photo("three.jpg")' in text
    assert "RUN" in text
    assert "not sure" in text


def test_into_a_pipe_in_a_narrow_ascii_world(run, photos, tmp_path):
    copy = tmp_path / "Zwölf $1$ 数.png"
    copy.write_bytes((photos / "two.png").read_bytes())
    environment = os.environ | {
        "PYTHONIOENCODING": "ascii",
        "NO_COLOR": "1",
        "COLUMNS": "20",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "chainrule", "predict", str(run), str(copy), "--output", "seen"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zw\\xf6lf $1$ \\u6570.png: 2 (" in done.stdout
    assert [path.name for path in Path(tmp_path, "seen").iterdir()] == ["Zwölf $1$ 数-seen.png"]


def test_a_photo_that_is_named_like_a_picture_of_ours_is_not_written_on(run, predict, tmp_path):
    page = Image.fromarray(255 - cr.datasets.mnist().test.x[0].reshape(28, 28)).resize((112, 112))
    photos = [tmp_path / "a.png", tmp_path / "a-seen.png"]
    for photo in photos:
        page.save(photo)
    before = [photo.read_bytes() for photo in photos]
    predict(run, *photos, "--output", tmp_path)
    assert [photo.read_bytes() for photo in photos] == before
    assert (tmp_path / "a-2-seen.png").exists()
