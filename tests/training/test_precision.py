"""fp32, TF32 and bf16: named, recorded, and refused where there is none."""

import pytest
import torch

from autogrow.files.yaml import read_yaml
from autogrow.training import epoch
from autogrow.training.epoch import set_precision


def test_precision_is_recorded_and_changes_the_numbers_but_little(tiny, cli, tmp_path):
    losses = {}
    for precision in ("fp32", "bf16"):
        out = tmp_path / precision
        assert cli(*tiny.train, "--precision", precision, "--out", out).status == 0
        assert read_yaml(out / "spec.yaml")["precision"] == precision
        first = (out / "metrics.csv").read_text().splitlines()[1].split(",")
        losses[precision] = float(first[4])
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


@pytest.mark.parametrize("kind", ["train", "morph", "grow"])
def test_bf16_reaches_every_forward_pass_of_a_run(tiny, cli, tmp_path, monkeypatch, kind):
    used, logits = set(), epoch._logits

    def seen(network, images, precision):
        used.add((network.training, precision))
        return logits(network, images, precision)

    monkeypatch.setattr(epoch, "_logits", seen)
    more = () if kind == "train" else ("--initializer", "AdamInit")
    arguments = (*getattr(tiny, kind), "--precision", "bf16", "--protocol", "holdout", *more)
    assert cli(*arguments, "--out", tmp_path / "run").status == 0
    assert used == {(True, "bf16"), (False, "bf16")}


def test_tf32_is_refused_on_a_cpu_and_leaves_no_folder(tiny, mistake, tmp_path):
    told = mistake(*tiny.train, "--precision", "tf32", "--out", tmp_path / "run")
    assert "precision: tf32" in told
    assert "allowed on this device: fp32 or bf16" in told
    assert not (tmp_path / "run").exists()


def test_fp32_means_that_nothing_is_rounded_to_tf32():
    torch.backends.cudnn.allow_tf32 = True
    set_precision("fp32", torch.device("cpu"))
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
