"""The schedule null: the depth that a schedule reports on the curve of a net that never grows."""

from __future__ import annotations

from analysis.experiments.rows import Row
from analysis.results.summaries import Results
from autogrow.config.resolved import ResolvedAutogrow
from autogrow.errors import UserError, shown
from autogrow.growth.counterfactual import Outcome, outcome
from autogrow.runs.bounding import bounds_of_finished
from autogrow.runs.curves import read_curve
from autogrow.runs.folder import SPEC, read_spec, require_finished
from autogrow.training.metrics import METRICS


def schedule_null(row: Row, results: Results, seed: int) -> Outcome:
    """Return what the schedule of a row's AutoGrow run decides on its seed network's own curve.

    That is the curve of the row's run ``never_grown``: the same network, data, seed and learning
    rate, without any growth. Bounds that need a clock are left aside: the other run had another
    one.

    Raises
    ------
    UserError
        If one of the two runs is not finished, or its files are damaged.
    """
    grown, never = (results.run_folder(row.runs[role], seed) for role in ("main", "never_grown"))
    require_finished(grown, SPEC)
    require_finished(never, METRICS)
    spec = read_spec(grown)
    if not isinstance(spec, ResolvedAutogrow):
        raise UserError(f"{grown / SPEC}: kind: found {shown(spec.kind)}; allowed: autogrow")
    policy = spec.growth_policy
    curve = read_curve(never / METRICS, policy.observes)
    depth, (bounds, _) = spec.first_network.depth, bounds_of_finished(grown, spec)
    return outcome(policy, depth, curve, spec.largest_depth, bounds)
