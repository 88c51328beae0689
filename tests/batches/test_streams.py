"""Batches of images in files: what is in them, whoever decodes them and in how many parts."""

import errno
import multiprocessing
import os
import signal
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
from data_sets import CLAIMS, claiming
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from autogrow.batches import decoding
from autogrow.batches.decoding import default_workers
from autogrow.batches.from_files import CHUNK, StreamedSet
from autogrow.batches.sets import make_sets
from autogrow.config.spec import parse_spec
from autogrow.data import load
from autogrow.errors import InterruptedRunError, UserError
from autogrow.process.distributed import ALONE, World
from autogrow.seeds import derive
from autogrow.training.epoch import evaluate

pytestmark = pytest.mark.usefixtures("isolated_places")

CPU = torch.device("cpu")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NORMALISE = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
USUAL = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), NORMALISE])
AUGMENT = v2.Compose([v2.RandomResizedCrop(224), v2.RandomHorizontalFlip()])


def streamed(split, *, workers=0, flip=True, **options):
    return StreamedSet(split, MEAN, STD, CPU, workers=workers, flip=flip, **options)


@pytest.fixture(scope="module")
def data(imagenet_folder):
    return load(f"imagenet:{imagenet_folder}")


def epoch_of(images, batch=25, seed=0, epoch=1, world=ALONE):
    return list(images.training_batches(batch, seed=seed, epoch=epoch, world=world))


def equal(batches, others):
    return len(batches) == len(others) and all(
        torch.equal(x, u) and torch.equal(y, v)
        for (x, y), (u, v) in zip(batches, others, strict=True)
    )


def order_of(seed, epoch):
    """The order in which an epoch takes the 60 training images."""
    generator = torch.Generator().manual_seed(derive(seed, "data order", epoch))
    return torch.randperm(60, generator=generator)


def joined(batches):
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


# --- what is in a batch ------------------------------------------------------------------


def test_evaluation_is_imagefolder_with_the_usual_transforms_to_the_bit(data, imagenet_folder):
    images, labels = joined(streamed(data.test).evaluation_batches(7))
    theirs = ImageFolder(imagenet_folder / "val", USUAL)
    assert torch.equal(images, torch.stack([image for image, _ in theirs]))
    assert labels.tolist() == theirs.targets


def test_training_images_are_v2s_random_crops_of_their_own_draw(data, imagenet_folder):
    theirs = ImageFolder(imagenet_folder / "train")
    images, labels = joined(epoch_of(streamed(data.train), seed=3, epoch=2))
    order = order_of(3, 2)
    assert labels.tolist() == [theirs.targets[i] for i in order]
    for image, i in zip(images, order.tolist(), strict=True):
        picture = theirs[i][0]
        draw = derive(3, "augmentation", 2, i)
        torch.manual_seed(draw)
        crop = AUGMENT(torch.from_numpy(np.array(picture)).permute(2, 0, 1))
        assert torch.equal(image, NORMALISE(crop.permute(1, 2, 0).numpy()))
        torch.manual_seed(draw)  # on Pillow's image: the same but for rounding
        assert (image - NORMALISE(AUGMENT(picture))).abs().max() < 1.01 / 255 / min(STD)


def test_without_torchvisions_decoder_training_images_are_the_same(data, monkeypatch):
    with_it = epoch_of(streamed(data.train))
    monkeypatch.delattr("torchvision.io.decode_jpeg")
    assert equal(epoch_of(streamed(data.train)), with_it)


def test_batches_are_as_the_network_wants_them(data):
    images = streamed(data.train)
    assert (len(images), images.image_size, images.device) == (60, (224, 224), CPU)
    assert (images.padding, images.flip, images.skipped) == (0, True, 0)
    for x, y in (*epoch_of(images), *images.evaluation_batches(25)):
        assert (x.shape[1:], x.dtype, y.dtype) == ((3, 224, 224), torch.float32, torch.int64)
        assert x.is_contiguous(memory_format=torch.channels_last)
    # A last single image joins the batch before.
    assert [len(y) for _, y in epoch_of(images, batch=59)] == [60]


def test_mirrored_only_if_asked(data):
    x, _ = joined(epoch_of(streamed(data.train)))
    plain, _ = joined(epoch_of(streamed(data.train, flip=False)))
    same = [torch.equal(a, b) for a, b in zip(x, plain, strict=True)]
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(x, plain, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 15 < sum(mirrored) < 45


def test_epochs_and_seeds_give_others_and_the_same_again(data):
    images = streamed(data.train)
    first = epoch_of(images)
    assert [len(y) for _, y in first] == [25, 25, 10]
    assert not equal(first, epoch_of(images, epoch=2))
    assert not equal(first, epoch_of(images, seed=1))
    assert equal(first, epoch_of(images))


# --- whoever decodes them ----------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(data, workers):
    alone, helped = streamed(data.train), streamed(data.train, workers=workers)
    before = torch.get_rng_state()
    for batch in (25, CHUNK + 3):
        assert equal(epoch_of(alone, batch), epoch_of(helped, batch))
    assert equal(list(alone.evaluation_batches(11)), list(helped.evaluation_batches(11)))
    assert torch.equal(torch.get_rng_state(), before)  # the caller's random numbers


@pytest.mark.parametrize("workers", [0, 2])
def test_a_pass_that_is_given_up_disturbs_no_other_and_leaves_no_process(data, workers):
    images = streamed(data.train, workers=workers)
    reference = epoch_of(images)
    given_up = images.training_batches(10, seed=0, epoch=9)
    next(given_up)
    next(streamed(data.test, workers=workers).evaluation_batches(1))
    assert equal(epoch_of(images), reference)
    assert len(multiprocessing.active_children()) == workers
    given_up.close()
    assert not multiprocessing.active_children()


def test_a_killed_worker_is_told_as_an_interruption(data, monkeypatch):
    monkeypatch.setattr(decoding, "decode", lambda request: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(InterruptedRunError, match=r"decodes images was killed .*--workers"):
        epoch_of(streamed(data.train, workers=1))


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["workers", "queues"])
def test_shared_memory_that_is_full_is_told_likewise(data, monkeypatch, where):
    """A worker's result that does not fit any more is not waited for."""
    if where == "workers":
        monkeypatch.setitem(ForkingPickler._extra_reducers, torch.Tensor, full)
    else:
        monkeypatch.setattr(decoding.DataLoader, "__iter__", full)
    with pytest.raises(InterruptedRunError, match=r"decodes images was killed .*--workers"):
        epoch_of(streamed(data.train, workers=1))


def test_default_workers_are_the_cpus_shared_by_the_processes_here(monkeypatch):
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    for cpus, processes, wanted in ((2, 1, 2), (64, 1, 16), (64, 8, 8), (2, 4, 1)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=cpus: range(n), raising=False)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
        assert default_workers() == wanted


# --- in how many parts -------------------------------------------------------------------


@pytest.mark.parametrize("processes", [2, 3])
def test_shares_are_together_every_image_once(data, processes):
    images = streamed(data.train)
    worlds = [World(rank, processes) for rank in range(processes)]
    whole = epoch_of(images, 24)
    shares = [epoch_of(images, 24, world=world) for world in worlds]
    assert [[len(y) for _, y in share] for share in shares] == [
        [24 // processes] * 2 + [12 // processes]
    ] * processes
    parts = [tuple(joined(of_batch)) for of_batch in zip(*shares, strict=True)]
    assert equal(parts, whole)

    evaluated = [joined(streamed(data.test).evaluation_batches(5, world=w)) for w in worlds]
    assert sum(len(y) for _, y in evaluated) == 40
    assert equal([joined(evaluated)], [joined(streamed(data.test).evaluation_batches(40))])

    one = streamed(data.test.take(np.array([4])))
    counts = [len(list(one.evaluation_batches(8, world=world))) for world in worlds]
    assert sorted(counts) == [0] * (processes - 1) + [1]  # some without a share


def spec(data, **more):
    given = {"kind": "scratch", "network": "Basic4ResNet-1-1-1-1", "data": "ImageNet"}
    return parse_spec({**given, "crop_padding": 0, "flip": True, **more})


def test_sets_are_subset_and_holdout_as_for_other_data(data):
    sets, again = (
        make_sets(spec(data, data_fraction=0.67, protocol="holdout"), data, CPU, workers=0)
        for _ in range(2)
    )
    parts = (sets.train, sets.val, sets.test)
    assert [len(images) for images in parts] == [40, 20, 40]
    assert sets.val.labels.tolist() == list(range(20))
    seen = [{*map(bytes, images._split.files)} for images in parts]
    assert not any(a & b for a, b in pairwise([*seen, seen[0]]))
    assert again.train._split.files.tolist() == sets.train._split.files.tolist()
    paper = make_sets(spec(data, data_fraction=0.67, protocol="paper"), data, CPU, workers=0)
    assert paper.train._split.files.tolist() == sets.train._split.files.tolist()
    assert paper.val is paper.test
    assert (paper.train.flip, paper.val.flip) == (True, False)


def test_a_crop_padding_is_refused(data):
    with pytest.raises(UserError, match=r"crop_padding: found 4; allowed for imagenet:.*: 0 "):
        make_sets(spec(data, crop_padding=4), data, CPU)


# --- damaged images ----------------------------------------------------------------------


@pytest.fixture
def damaged(imagenet_copy, cut_short):
    """The data set with three images of train and one of val that cannot be decoded."""
    train, val = (sorted((imagenet_copy / part).rglob("*.JPEG")) for part in ("train", "val"))
    files = [train[4], train[20], train[59], val[7]]
    for file in files:
        cut_short(file)
    return load(f"imagenet:{imagenet_copy}"), [str(file) for file in files]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_image_is_named_in_one_line(damaged, workers):
    data, files = damaged
    train, test = (streamed(split, workers=workers) for split in (data.train, data.test))
    message = r"damaged \(OSError: image file is trun.*allowed: "
    for batches, bad in (
        (train.training_batches(16, seed=0, epoch=1), files[:3]),
        (test.evaluation_batches(16), files[3:]),
    ):
        with pytest.raises(UserError, match=message) as e:
            list(batches)
        assert str(e.value).partition(": damaged")[0] in bad
        assert "\n" not in str(e.value)


def test_damaged_images_are_skipped_and_counted_if_asked(damaged, data):
    broken, files = damaged
    told = []
    for workers in (0, 2):
        images = streamed(broken.train, workers=workers, skip_damaged=True)
        images.tell = told.append
        for epoch in (1, 2):
            left, whole = epoch_of(images, epoch=epoch), epoch_of(streamed(data.train), epoch=epoch)
            assert images.skipped == 3
            assert len(left) == len(whole)
            kept = ~torch.isin(order_of(0, epoch)[:25], torch.tensor([4, 20, 59]))
            assert torch.equal(left[0][0], whole[0][0][kept])
            assert torch.equal(left[0][1], whole[0][1][kept])
    paths = [line.partition(": damaged (")[0] for line in told]
    assert sorted(paths) == sorted(2 * files[:3])  # once each, not every epoch
    assert all(line.endswith("; skipped") for line in told)


def test_accuracy_is_over_the_images_that_could_be_decoded(damaged):
    class First(torch.nn.Module):
        def forward(self, x):
            return torch.eye(20)[torch.zeros(len(x), dtype=torch.int64)]

    images = streamed(damaged[0].test, skip_damaged=True)
    score, _ = evaluate(First(), images)
    assert score.accuracy == round(100 * 2 / 39, 4)
    assert images.skipped == 1


def test_what_is_broken_at_a_glance_is_told_before_training(imagenet_copy, monkeypatch, recwarn):
    file = min((imagenet_copy / "val").rglob("*.JPEG"))
    file.unlink()
    said = []
    reasons = {b"": "the file is empty", b"<html>": "no PNG, JPEG, BMP or WEBP image"}
    for suffix, side in CLAIMS.items():
        reasons[claiming(suffix, side)] = f"found {side}x{side} pixels; allowed: up to 67,108,864"
    for content, reason in reasons.items():
        file.write_bytes(content)
        data = load(f"imagenet:{imagenet_copy}")
        assert ("1 of the files empty" in data.report) == (not content)
        with pytest.raises(UserError, match=rf"{file}: damaged \({reason}.*skip_damaged"):
            make_sets(spec(data), data, CPU, workers=0)
        sets = make_sets(spec(data, skip_damaged=True), data, CPU, workers=0)
        sets.tell(said.append)
        assert sum(len(y) for _, y in sets.test.evaluation_batches(8)) == 39
        assert (sets.train.skipped, sets.test.skipped, sets.skipped) == (0, 1, 1)
        with monkeypatch.context() as patch:
            for _ in ("torchvision's decoder", "Pillow's"):
                assert len(epoch_of(streamed(data.test, skip_damaged=True), 40)[0][1]) == 39
                patch.delattr("torchvision.io.decode_jpeg", raising=False)
    assert not recwarn.list
    assert [line.partition(": ")[0] for line in said] == [str(file)] * len(reasons)


def test_a_batch_of_nothing_but_damaged_images_is_an_error(damaged):
    bad = streamed(damaged[0].train.take(np.array([4, 20])), skip_damaged=True)
    with pytest.raises(UserError, match="a batch of nothing but damaged images"):
        epoch_of(bad, 2)
    assert list(bad.evaluation_batches(2)) == []
