"""Images in files, in ImageNet's layout: what is listed, and every kind of broken folder."""

import csv
import re

import numpy as np
import pytest
from data_sets import change_folder

from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec
from autogrow.data import downscaled, info, load, trimmed, with_measured_statistics
from autogrow.errors import UserError

TRUTH = "ILSVRC2012_validation_ground_truth.txt"


def classes_of(folder):
    return sorted(entry.name for entry in (folder / "train").iterdir())


def flatten(folder):
    """Move val's files out of their class folders; return file to class."""
    labels = {}
    for inside in sorted((folder / "val").iterdir()):
        for file in inside.iterdir():
            labels[file.name] = inside.name
            file.rename(folder / "val" / file.name)
        inside.rmdir()
    return dict(sorted(labels.items()))


def write_devkit(folder, labels):
    """Write the devkit's two files; its numbers are in no order, and include groups of classes."""
    from scipy.io import savemat

    names = [*reversed(classes_of(folder)), "n99999999"]
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    rows = [(i, name, f"thing {i}", 3 * (i > 20)) for i, name in enumerate(names, start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    devkit = folder / "ILSVRC2012_devkit_t12" / "data"
    devkit.mkdir(parents=True)
    savemat(devkit / "meta.mat", {"synsets": np.array(rows, dtype=fields)[:, None]})
    numbers = [names.index(label) + 1 for label in labels.values()]
    (devkit / TRUTH).write_text("".join(f"{number}\n" for number in numbers))
    return devkit


def test_imagenet_is_found_below_the_data_root(imagenet_folder):
    data = load("ImageNet", root=imagenet_folder.parent)
    assert (data.name, data.n_classes) == ("ImageNet", 20)
    assert (len(data.train), len(data.test)) == (60, 40)
    assert data.classes == tuple(classes_of(imagenet_folder))
    assert data.train.labels.tolist() == np.repeat(range(20), 3).tolist()
    assert data.test.labels.tolist() == np.repeat(range(20), 2).tolist()
    for i in range(60):
        file = data.train.path(i)
        assert file.parent == imagenet_folder / "train" / data.classes[data.train.labels[i]]
        assert file.stat().st_size == data.train.sizes[i]
    assert (data.image_size, data.channels) == (224, 3)
    assert (data.mean, data.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert (data.crop_padding, data.flip) == (0, True)
    assert re.fullmatch(
        r"ImageNet: found 60 training and 40 validation images of 20 classes \(the published "
        rf"ImageNet has 1,000\) in {imagenet_folder}: 3 training and 2 validation images a class, "
        r"0\.0 GB; listed in [0-9.]+ s, not decoded",
        data.report,
    )
    assert "published" not in load_path(imagenet_folder).report


@pytest.mark.parametrize("name", ["imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", "."])
def test_the_folder_may_have_any_of_its_usual_names(imagenet_folder, tmp_path, name):
    place = tmp_path / "place" / name
    place.mkdir(parents=True)
    for part in ("train", "val"):
        (place / part).symlink_to(imagenet_folder / part)
    assert load("ImageNet", root=tmp_path / "place").checksum == load_path(imagenet_folder).checksum


def load_path(folder):
    return load(f"imagenet:{folder}")


def test_checksum_depends_on_names_and_sizes_and_on_nothing_else(imagenet_copy, imagenet_folder):
    checksum = load_path(imagenet_folder).checksum
    (imagenet_copy / "train" / ".DS_Store").write_bytes(b"of no account")
    file = min((imagenet_copy / "val").rglob("*.JPEG"))
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(bytes(len(content)))
    assert load_path(imagenet_copy).checksum == checksum
    file.write_bytes(content + b"x")
    assert load_path(imagenet_copy).checksum != checksum
    file.write_bytes(content)
    moved = file.rename(file.with_name("other.JPEG"))
    assert load_path(imagenet_copy).checksum != checksum
    moved.rename(file)
    assert load_path(imagenet_copy).checksum == checksum


@pytest.mark.parametrize("how", ["own", "own without suffix", "kaggle", "devkit", "devkit beside"])
def test_a_flat_val_equals_one_of_class_folders(imagenet_copy, imagenet_folder, how):
    labels = flatten(imagenet_copy)
    if how.startswith("own"):
        stems = {file.removesuffix(".JPEG" * (how != "own")): c for file, c in labels.items()}
        lines = [f"{file} {c}\n" for file, c in reversed(stems.items())]
        (imagenet_copy / "val_labels.txt").write_text("".join(lines))
    elif how == "kaggle":
        with (imagenet_copy.parent / "LOC_val_solution.csv").open("w", newline="") as file:
            rows = [(f.removesuffix(".JPEG"), f"{c} 85 1 499 272 ") for f, c in labels.items()]
            csv.writer(file).writerows([("ImageId", "PredictionString"), *rows])
    else:
        devkit = write_devkit(imagenet_copy, labels)
        if how == "devkit beside":
            devkit.parent.rename(imagenet_copy.parent / devkit.parent.name)
    flat, folders = load_path(imagenet_copy), load_path(imagenet_folder)
    assert flat.checksum == folders.checksum
    assert [flat.test.path(i).name for i in range(40)] == [
        folders.test.path(i).name for i in range(40)
    ]
    assert flat.test.labels.tolist() == folders.test.labels.tolist()
    assert flat.test.path(3).is_file()


def test_a_folder_of_ones_own_is_treated_as_small_sets_are(imagenet_folder):
    name = f"imagenet:{imagenet_folder}"
    facts = info(name)
    assert (facts.image_size, facts.channels, facts.n_classes, facts.flip) == (224, 3, 20, True)
    given = {"kind": "scratch", "network": "Basic4ResNet-1-1-1-1"}
    own, named = (resolve(parse_spec({**given, "data": d})) for d in (name, "ImageNet"))
    assert (own.batch_size, own.epochs, own.weight_decay) == (128, 200, 5e-4)
    assert (named.batch_size, named.epochs, named.weight_decay) == (256, 90, 1e-4)
    assert own.stem == named.stem == "imagenet"


def test_what_would_need_all_images_is_refused(imagenet_folder):
    data = load_path(imagenet_folder)
    with pytest.raises(UserError, match=r"downscale: found 2; allowed for imagenet:.*: 1 "):
        downscaled(data, 2)
    assert downscaled(data, 1) is data
    with pytest.raises(UserError, match=r"trim: found 1; allowed for imagenet:.*: up to 0"):
        trimmed(data, 1)
    with pytest.raises(UserError, match=r"normalisation: found 'measured'; allowed .* released"):
        with_measured_statistics(data)
    named = load("ImageNet", root=imagenet_folder.parent)
    assert with_measured_statistics(named) is named  # its constants are what was measured on it


BROKEN = {
    "rm train": "train: cannot be read: No such file",
    "rm val": "val: cannot be read: No such file",
    "rm train; file train": "train: found a file; allowed: ",
    "rm val; mkdir val": "val: found zero images; allowed: ",
    "rm train; mkdir train/dog": "train: found 1 class folders; allowed: 2 or more",
    "rm train/n00000008; mkdir train/n00000008": "train/n00000008: found no image; allowed: ",
    "rm val/n00000015; mkdir val/n00000015": "val/n00000015: found no image; allowed: ",
    "rm val/n00000008; rm val/n00000015": (
        r"val: found no class folder n00000008 \(and 1 more\), which \S*train has; allowed: "
    ),
    "rm train/n00000022": r"train: found no class folder n00000022, which \S*val has; allowed: ",
    "file train/a.tar": r"train/a\.tar: found a file beside class folders; allowed: ",
    "link train/loop": "train/loop: found a file beside class folders; allowed: ",
    "file train/n00000001/b.gif; file train/n00000001/notes.txt": (
        r"n00000001/b\.gif: found another type \(and 1 more\); allowed: .*\.jpeg"
    ),
    "mkdir train/n00000001/a": "n00000001/a: found no regular file; allowed: image files",
    "link train/n00000008/a.JPEG": r"n00000008/a\.JPEG: cannot be read: ",
}


def refused(folder, message):
    with pytest.raises(UserError, match=message) as error:
        load_path(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", BROKEN)
def test_each_broken_folder_gives_one_line(imagenet_copy, changes):
    change_folder(imagenet_copy, changes)
    refused(imagenet_copy, BROKEN[changes])


def test_imagenet_that_is_nowhere_says_where_it_was_sought_and_how_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"ImageNet: not found; searched: .*image-net\.org"):
        load("ImageNet", root=tmp_path, download=True)
    (tmp_path / "imagenet" / "train").mkdir(parents=True)
    with pytest.raises(UserError, match=r"imagenet: found ImageNet without val; allowed: "):
        load("ImageNet", root=tmp_path)
    with pytest.raises(UserError, match=r"nowhere: cannot be read: .*; allowed: a folder with tr"):
        load("imagenet:nowhere")


BAD_LABELS = [
    (lambda x: x[1:], r"found no line for val_\d+\.JPEG, 39 lines for"),
    (lambda x: [*x, "a.JPEG n00000001"], r"line 41: found a\.JPEG, "),
    (
        lambda x: [*x, x[0].split()[0] + " n00000134"],
        r"line 41: found val_\d+\.JPEG again; allowed: each image once",
    ),
    (lambda x: [x[0], "val"], r"line 2: found 'val'; allowed: FILE CLASS"),
    (
        lambda x: [x[0].split()[0] + " dog"],
        r"line 1: found class dog, which is not in train; allowed: ",
    ),
    (
        lambda x: [re.sub("n00000008$", "n00000001", line) for line in x],
        r"val: found no image that is labelled n00000008; allowed: ",
    ),
]


def test_each_mistake_in_the_labels_of_a_flat_val_gives_one_line(imagenet_copy):
    lines = [f"{file} {c}" for file, c in flatten(imagenet_copy).items()]
    refused(imagenet_copy, "val: found images without class folders; allowed: ")
    for change, message in BAD_LABELS:
        (imagenet_copy / "val_labels.txt").write_text("\n".join(change(lines)))
        refused(imagenet_copy, message)


def test_each_mistake_in_the_devkit_gives_one_line(imagenet_copy):
    devkit = write_devkit(imagenet_copy, flatten(imagenet_copy))
    for content, message in (
        ("1\n" * 39, "found 39 labels for 40 images of val"),
        ("77\n" * 40, "line 1: found '77'; allowed: "),
        ("21\n" * 40, r"line 1: found '21'; allowed: "),  # a group of classes
    ):
        (devkit / TRUTH).write_text(content)
        refused(imagenet_copy, f"{TRUTH}: {message}")
    (devkit / "meta.mat").write_bytes(b"\x00" * 300)
    refused(imagenet_copy, r"meta\.mat: broken or unreadable ")
    (devkit / "meta.mat").unlink()
    refused(imagenet_copy, r"meta\.mat: cannot be read: No such file")
