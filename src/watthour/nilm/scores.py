"""How well an appliance was told from the mains, beside saying that it is always off and that it draws its mean.

What was not metered, or not answered, is left out of every score and counted. A score that is not defined is None and
never 0. ``y`` is the truth and ``p`` the answer of a step [W]; sums go over the steps that are scored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import appliance_named, states

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from watthour.nilm.houses import House

    Array: TypeAlias = NDArray[np.float64]
    Powers: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one appliance; None: not defined on these steps."""

    n: int  # steps that are scored
    n_unanswered: int  # steps that were metered and not answered
    mae_w: float | None
    mae_on_w: float | None
    sae: float | None
    nde: float | None
    teca: float | None
    mr: float | None
    f1: float | None
    mcc: float | None
    skill_always_off: float | None
    skill_mean: float | None


def mae(truth: Array, answer: Array) -> float | None:
    """Mean absolute error: mean |p - y| [W]."""
    return float(np.abs(answer - truth).mean()) if truth.size else None


def sae(truth: Array, answer: Array) -> float | None:
    """Error of the total energy, signal aggregate error: |sum p - sum y| / sum y [-].

    Source: Zhang et al., Sequence-to-point learning (AAAI 2018), arXiv:1612.09106.
    """
    return _ratio(abs(float(answer.sum()) - float(truth.sum())), float(truth.sum()))


def nde(truth: Array, answer: Array) -> float | None:
    """Squared error in parts of the squared power, normalised disaggregation error: sum (p - y)^2 / sum y^2 [-].

    Some papers publish its root. Always off has 1.

    Source: Kolter and Jaakkola, Approximate inference in additive factorial HMMs (AISTATS 2012), without the root.
    """
    return _ratio(float(((answer - truth) ** 2).sum()), float((truth**2).sum()))


def teca(truth: Array, answer: Array) -> float | None:
    """Share of the energy that is told at the right time, of one appliance: 1 - sum |p - y| / (2 sum y) [-].

    Always off has 0.5, and it may be below zero.

    Source: Kolter and Johnson, REDD (SustKDD 2011), with the appliance's own energy in place of the house's.
    """
    part = _ratio(float(np.abs(answer - truth).sum()), 2 * float(truth.sum()))
    return None if part is None else 1 - part


def matching_ratio(truth: Array, answer: Array) -> float | None:
    """Energy that truth and answer share, in parts of what either has: sum min(p, y) / sum max(p, y) [-].

    Source: Mayhorn et al., Load disaggregation technologies: real world and laboratory performance, Pacific
    Northwest National Laboratory (2016).
    """
    return _ratio(float(np.minimum(truth, answer).sum()), float(np.maximum(truth, answer).sum()))


def f1(truth_on: Mask, answer_on: Mask) -> float | None:
    """Harmonic mean of precision and recall of being on: 2 TP / (2 TP + FP + FN) [-]; None: never on in either."""
    both = int((truth_on & answer_on).sum())
    return _ratio(2.0 * both, float(truth_on.sum() + answer_on.sum()))


def mcc(truth_on: Mask, answer_on: Mask) -> float | None:
    """Correlation of being on, of -1 to 1: (TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)) [-].

    None where truth or answer is always on or never.

    Source: Matthews, Biochimica et Biophysica Acta 405 (1975), doi:10.1016/0005-2795(75)90109-9.
    """
    tp, tn = float((truth_on & answer_on).sum()), float((~truth_on & ~answer_on).sum())
    fp, fn = float((~truth_on & answer_on).sum()), float((truth_on & ~answer_on).sum())
    return _ratio(tp * tn - fp * fn, math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def skill(own: float | None, other: float | None) -> float | None:
    """Share of another's mean absolute error that is saved: 1 - MAE / MAE of the other [-]; below zero: it is worse."""
    if own is None or other is None:
        return None
    part = _ratio(own, other)
    return None if part is None else 1 - part


def score(
    truth: Powers, answer: Powers, truth_on: Mask, answer_on: Mask, *, training_mean_w: float | None = None
) -> Scores:
    """Score the answers on one appliance.

    Args:
        truth: (n,) metered power, NaN where it was not metered [W].
        answer: (n,) told power, NaN where nothing was told [W].
        truth_on: (n,) states by the rule of the appliance.
        answer_on: (n,) states by the same rule.
        training_mean_w: mean power in the houses that were learned from, which is what ``skill_mean`` is against; the
            mean of the truth itself would be hindsight.
    """
    for field, values in (("answer", answer), ("truth_on", truth_on), ("answer_on", answer_on)):
        if values.shape != truth.shape or truth.ndim != 1:
            problem = f"the truth has the shape {truth.shape}; both need one line of the same steps"
            raise InvalidInput(field, values.shape, problem, remedy="Give a value for each step of the truth.")
    metered, answered = np.isfinite(truth), np.isfinite(answer)
    scored = metered & answered
    y, p = np.asarray(truth, dtype=np.float64)[scored], np.asarray(answer, dtype=np.float64)[scored]
    y_on, p_on = truth_on[scored], answer_on[scored]
    own = mae(y, p)
    by_mean = None if training_mean_w is None else mae(y, np.full_like(y, training_mean_w))
    return Scores(
        n=len(y),
        n_unanswered=int((metered & ~answered).sum()),
        mae_w=own,
        mae_on_w=mae(y[y_on], p[y_on]),
        sae=sae(y, p),
        nde=nde(y, p),
        teca=teca(y, p),
        mr=matching_ratio(y, p),
        f1=f1(y_on, p_on),
        mcc=mcc(y_on, p_on),
        skill_always_off=skill(own, mae(y, np.zeros_like(y))),
        skill_mean=skill(own, by_mean),
    )


def house_scores(
    house: House, answers: Mapping[str, Powers], training_means_w: Mapping[str, float] | None = None
) -> dict[str, Scores]:
    """Score the answers on each appliance that was metered in a house, states by one rule and never across a gap.

    Args:
        house: whose truth is known.
        answers: (n,) told power of each appliance at the house's times, NaN where nothing was told [W].
        training_means_w: mean power of each appliance in the houses that were learned from [W].
    """
    means = training_means_w or {}
    scored: dict[str, Scores] = {}
    for name in house.appliances.keys() & answers.keys():
        rule, answer = appliance_named(name), answers[name]
        parts = [states(answer[part], rule, house.step_s) for part in house.segments()]
        answer_on = np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)
        truth = house.appliances[name]
        scored[name] = score(truth, answer, house.states(name), answer_on, training_mean_w=means.get(name))
    return {name: scored[name] for name in house.appliances if name in scored}


def average(scores: Sequence[Scores]) -> dict[str, float | None]:
    """Return the mean of each score over appliances; None where one of them has none."""
    means: dict[str, float | None] = {}
    for field in fields(Scores):
        if field.name in ("n", "n_unanswered"):
            continue
        values = [getattr(each, field.name) for each in scores]
        means[field.name] = None if not values or None in values else float(np.mean(values))
    return means


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
