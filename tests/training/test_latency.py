import itertools

import torch
from torch import nn

from autogrow.training import latency
from autogrow.training.latency import LEAST_PASSES, WARMING, median_latency


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = []

    def forward(self, x):
        self.calls.append((tuple(x.shape), self.training, torch.is_grad_enabled()))
        return x


def test_the_median_of_the_passes_after_the_first_ones(monkeypatch):
    """The passes take 100 s while warming up, then 30, 40, 50, ... ms by a clock of the test's."""
    passes = itertools.chain([100.0] * WARMING, (0.001 * ms for ms in itertools.count(30, 10)))
    times = itertools.chain.from_iterable((0.0, seconds) for seconds in passes)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(times))
    network = Network()
    images = torch.zeros(4, 1, 2, 2)
    assert round(median_latency(network, images), 6) == 80.0
    assert network.calls == [((4, 1, 2, 2), False, False)] * (WARMING + LEAST_PASSES)


def test_fast_networks_are_passed_until_some_time_is_over(monkeypatch):
    times = (0.001 * (k // 2 if k % 2 == 0 else k // 2 + 1) for k in itertools.count())
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(times))
    network = Network()
    assert round(median_latency(network, torch.zeros(1, 1, 2, 2), "bf16"), 6) == 1.0
    assert 200 <= len(network.calls) - WARMING <= 201
