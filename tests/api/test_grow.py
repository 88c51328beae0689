"""A user's own network on a user's own images: grown, kept, interrupted and continued."""

import inspect
import os
import signal
from functools import partial

import numpy as np
import own_networks
import pytest
import torch
from carry_out import FORKS
from interrupting import interrupted_after
from own_networks import GoogLeNet, Inception, Noisy, digits
from run_results import results
from torch.utils.data import DataLoader, TensorDataset

import autogrow
from autogrow.errors import UserError

QUICK = {"T": 2, "policy": autogrow.PeriodicGrowth(K=1, tau=100), "quiet": True, "device": "cpu"}
QUICK |= {"batch_size": 32, "seed": 3}


def seeded_network(seed=0):
    torch.manual_seed(seed)
    return GoogLeNet()


def grow(network=None, train=None, validation=None, **options):
    network = seeded_network() if network is None else network
    train = digits(0, 100) if train is None else train
    return autogrow.grow(network, train, validation or digits(100, 150), **{**QUICK, **options})


def test_an_inception_net_of_25_lines_is_grown_and_learns_digits(tmp_path):
    lines = "".join(inspect.getsource(part) for part in (Inception, GoogLeNet)).splitlines()
    assert len([line for line in lines if line.strip()]) <= 25
    network = seeded_network()
    found = autogrow.grow(
        network, digits(0, 1200), digits(1200, 1500), T=6, quiet=True, device="cpu",
        policy=autogrow.PeriodicGrowth(K=1, J=2, tau=5), learning_rate=0.1, crop_padding=0,
    )  # fmt: skip
    assert found.network is network
    assert autogrow.depth_of(network) == found.depth
    assert sum(found.depth) > 2
    assert found.depth == found.events[-1].depth
    grown = [event for event in found.events if event.event == "grow"]
    assert len(grown) == sum(found.depth) - 2
    assert [e.epoch for e in found.curve] == [*range(1, len(found.curve) + 1)]
    assert sum(e.phase == "finetuning" for e in found.curve) == 12
    assert found.summary.final_val_accuracy > 80
    # The trained module gives the recorded accuracy on images that are normalised as recorded.
    data = found.summary.data
    images = torch.tensor(digits(1200, 1500)[0])[:, None].float() / 255
    images = (images - data.mean[0]) / data.std[0]
    with torch.inference_mode():
        right = network(images).argmax(1).numpy() == digits(1200, 1500)[1]
    assert 100 * right.mean() == pytest.approx(found.summary.final_val_accuracy, abs=0.4)
    found.save(tmp_path / "kept")
    assert not [*tmp_path.glob("kept/checkpoint*")]
    with pytest.raises(UserError, match="kept: holds something already; allowed: a new or empty"):
        found.save(tmp_path / "kept")


def test_a_saved_run_is_sealed_and_another_call_takes_it_up(tmp_path, cli):
    found = grow(out=tmp_path / "run")
    found.save(tmp_path / "run")  # where it is
    found.save(tmp_path / "kept")
    assert cli("verify", tmp_path).out.splitlines()[-1] == "2 sound"
    before = results(tmp_path / "kept")
    again = grow(seeded_network(7), out=tmp_path / "kept")
    assert results(tmp_path / "kept") == before
    assert again.depth == found.depth
    for ours, theirs in zip(again.network.parameters(), found.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with pytest.raises(UserError, match=r"holds a run of another spec \(seed 3 there, 4 here"):
        grow(seed=4, out=tmp_path / "kept")
    with pytest.raises(UserError, match=r"of objects of Python .network., which no file has"):
        autogrow.run(autogrow_spec(tmp_path / "kept"), tmp_path / "other")


def autogrow_spec(folder):
    from autogrow.runs.folder import read_spec

    return read_spec(folder)


RAW = {"mean": [0.0], "std": [1.0]}  # the noise leaves 0 to 1
ADAM = partial(torch.optim.AdamW, lr=0.01, weight_decay=0.1)
INTERRUPTED = {
    "the paper's SGD": {},
    "AdamInit": {"initializer": "AdamInit"},
    "an augmentation": {"augmentation": lambda x: torch.where(torch.rand(x.shape) < 0.1, 0, x)},
    "a random Dataset": {"train": Noisy(0, 100), "validation": Noisy(100, 120), **RAW},
}  # fmt: skip
INTERRUPTED |= {
    name: {"optimizer": partial(getattr(torch.optim, name), **settings)}
    for name, settings in {
        **{"SGD": {"lr": 0.05, "nesterov": True, "momentum": 0.5}, "AdamW": {"foreach": False}},
        **{name: {} for name in ("Adam", "NAdam", "RAdam", "Adamax", "Adadelta", "Rprop")},
        **{"RMSprop": {"momentum": 0.9, "centered": True}, "ASGD": {}, "Adagrad": {"lr": 0.05}},
    }.items()
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interrupted_call_repeated_gives_the_same_bits(tmp_path, name):
    whole = grow(out=tmp_path / "whole", **INTERRUPTED[name])
    assert sum(whole.depth) > 2
    network = seeded_network()
    with interrupted_after(3, but=("adaminit",)), pytest.raises(KeyboardInterrupt):
        grow(network, out=tmp_path / "run", **INTERRUPTED[name])
    assert autogrow.depth_of(network) == (1, 1)  # so that the same call can be made with it
    grow(network, out=tmp_path / "run", **INTERRUPTED[name])
    assert results(tmp_path / "run") == results(tmp_path / "whole")


def loaders():
    train = DataLoader(Noisy(0, 100), batch_size=32, shuffle=True)
    return {"train": train, "validation": DataLoader(Noisy(100, 150), batch_size=64), **RAW}


class Die(autogrow.Callback):
    def epoch(self, epoch):
        if epoch.epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)


def doomed(folder):
    torch.set_num_threads(1)
    grow(out=folder, optimizer=ADAM, callbacks=[Die()], **loaders())


def test_a_killed_call_continues_from_its_checkpoint_whatever_the_new_networks_weights(tmp_path):
    child = FORKS.Process(target=doomed, args=(tmp_path / "run",))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    told = []
    listener = autogrow.Callback()
    listener.epoch = lambda epoch: told.append(epoch.epoch)
    found = grow(
        seeded_network(8), out=tmp_path / "run", optimizer=ADAM, callbacks=[listener], **loaders()
    )
    assert told[0] == 3  # its checkpoint was not written yet
    whole = grow(out=tmp_path / "whole", optimizer=ADAM, **loaders())
    assert results(tmp_path / "run") == results(tmp_path / "whole")
    assert found.depth == whole.depth


def test_another_network_or_optimizer_does_not_continue_a_run(tmp_path):
    with interrupted_after(1), pytest.raises(KeyboardInterrupt):
        grow(out=tmp_path, optimizer=ADAM)
    with pytest.raises(UserError, match=r"holds a run of another spec .given .* there, .* here"):
        grow(GoogLeNet(channels=6), out=tmp_path, optimizer=ADAM)
    with pytest.raises(UserError, match=r"holds a run of another spec .given .* there, .* here"):
        grow(out=tmp_path, optimizer=partial(ADAM, weight_decay=0.2))


def test_validation_images_steer_and_the_test_set_never_does():
    validation, test = digits(100, 150), digits(150, 250)
    without = grow(validation=validation)
    beside = grow(validation=validation, test=test)
    for ours, theirs in zip(without.curve, beside.curve, strict=True):
        assert ours.val_accuracy == theirs.val_accuracy
        assert ours.test_accuracy == ours.val_accuracy
    assert {(f.summary.protocol, f.summary.data.validation_images) for f in (without, beside)} == {
        ("holdout", 50)
    }
    assert (without.summary.data.test_images, beside.summary.data.test_images) == (0, 100)
    assert "validation accuracy" in without.summary.in_one_line()
    assert "test accuracy" in beside.summary.in_one_line()


@pytest.mark.parametrize("test", [None, digits(150, 250)], ids=["no test", "test"])
def test_validation_images_are_split_off_where_there_are_none(test):
    options = {**QUICK, "holdout_fraction": 0.2}
    arrays = autogrow.grow(seeded_network(), digits(0, 150), test=test, **options)
    counts = arrays.summary.data
    assert counts.training_images + counts.validation_images == 150
    assert counts.validation_images == pytest.approx(30, abs=4)
    assert counts.test_images == (0 if test is None else 100)
    if test is None:
        dataset = autogrow.grow(seeded_network(), Noisy(0, 150), **options, **RAW)
        assert dataset.summary.data.validation_images == 30
    with pytest.raises(UserError, match="validation: found none beside a DataLoader"):
        autogrow.grow(seeded_network(), loaders()["train"], **options, **RAW)


def test_everything_of_the_schedule_follows_from_t():
    schedule = autogrow.grow(
        "Basic3ResNet", digits(0, 100), T=5, width=2, quiet=True, out=None, seed=1,
        policy=autogrow.PeriodicGrowth(K=2, tau=100),
    )  # fmt: skip
    rates = [e.lr for e in schedule.curve if e.phase == "finetuning"]
    assert rates == pytest.approx([0.1] * 5 + [0.01] * 3 + [0.001] * 2)
    assert next(e.epoch for e in schedule.events if e.event == "stop") == 6  # J = 5, K = 2
    spec = autogrow_spec(schedule.folder)
    assert (spec.K, spec.J, spec.finetune_epochs) == (2, 5, 10)
    assert spec.protocol == "holdout"


def test_groups_of_an_optimizer_keep_their_own_settings_and_rates():
    network = seeded_network()
    made = []

    def optimizer(parameters):
        named = dict(network.named_parameters())
        norms = [p for name, p in named.items() if p.ndim == 1]
        others = [p for name, p in named.items() if p.ndim > 1]
        made.append(torch.optim.SGD(
            [{"params": others, "weight_decay": 0.1}, {"params": norms, "lr": 0.02}], lr=0.04
        ))  # fmt: skip
        return made[-1]

    found = grow(network, optimizer=optimizer)
    assert sum(found.depth) > 2
    others, norms = made[-1].param_groups
    ids = {id(p): p.ndim for p in network.parameters()}
    assert {ids[id(p)] for p in others["params"]} == {2, 4}
    assert {ids[id(p)] for p in norms["params"]} == {1}
    assert len(others["params"]) + len(norms["params"]) == len(ids)
    assert (others["weight_decay"], norms["weight_decay"]) == (0.1, 0)
    assert found.curve[0].lr == 0.04
    assert norms["lr"] == pytest.approx(others["lr"] / 2)


def test_callbacks_are_told_and_stop_ends_growing_then_training():
    told = []

    class Tell(autogrow.Callback):
        def epoch(self, epoch):
            told.append((epoch.epoch, epoch.phase))

        def growth(self, event):
            told.append((event.epoch, event.event))

        def stop(self, event):
            told.append((event.epoch, event.event))

    def stop(epoch):
        return epoch.epoch in (2, 4)

    found = grow(callbacks=[Tell()], stop=stop)
    assert told == [
        *[(1, "growing"), (1, "grow"), (2, "growing"), (2, "done")],
        *[(3, "finetuning"), (4, "finetuning")],
    ]
    assert found.depth == (2, 1)
    assert [event.event for event in found.events] == ["grow", "done"]


def test_the_callers_random_numbers_and_threads_are_left_alone():
    torch.set_num_threads(2)
    torch.manual_seed(5)
    expected = torch.rand(3)
    network = GoogLeNet()
    torch.manual_seed(5)
    found = grow(network)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 2
    assert found.summary.threads == 1  # its steps are small
    torch.set_num_threads(1)


def test_images_may_be_tensors_pictures_or_channels_last(tmp_path):
    images, labels = digits(0, 60)
    curves = []
    for given in (images, torch.tensor(images), torch.tensor(images)[:, None], images[..., None]):
        curves.append([e.train_loss for e in grow(train=(given, list(labels))).curve])
    assert all(curve == curves[0] for curve in curves)
    from PIL import Image

    class Pictures(Noisy):
        def __getitem__(self, i):
            return Image.fromarray(own_networks.IMAGES[i]), np.int64(self.labels[i])

    found = grow(train=Pictures(0, 60), validation=Pictures(60, 90), classes=list("abcdefghij"))
    assert found.summary.data.classes == 10
    assert found.summary.data.statistics == "own"


def test_a_saved_network_normalises_raw_images_as_the_dataset_did(tmp_path):
    images, labels = digits(0, 150)
    normalised = (torch.tensor(images)[:, None].float() / 255 - 0.3) / 0.2
    data = TensorDataset(normalised, torch.tensor(labels))
    sets = [torch.utils.data.Subset(data, range(*part)) for part in ((0, 100), (100, 150))]
    with pytest.raises(UserError, match="values outside 0 to 1; allowed: such images with mean="):
        autogrow.grow(seeded_network(), *sets, **QUICK)
    with pytest.raises(UserError, match=r"std: found \[0.0\]; allowed: 1 numbers.*, above 0"):
        autogrow.grow(seeded_network(), *sets, mean=[0.3], std=[0.0], **QUICK)
    with pytest.raises(UserError, match="mean, std: found for arrays; allowed: none"):
        grow(mean=[0.3], std=[0.2])
    found = autogrow.grow(seeded_network(), *sets, mean=[0.3], std=[0.2], **QUICK)
    found.save(tmp_path)
    trained = autogrow.load(tmp_path, network=seeded_network(), device="cpu")
    right = trained.predict(images[100:]).labels == labels[100:]
    assert 100 * right.mean() == pytest.approx(found.summary.final_val_accuracy, abs=0.01)
