"""What the mains of a home are made of, as plain content."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.nilm.appliances import runs
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from watthour.core.channel import Site
    from watthour.core.window import Window
    from watthour.nilm.artifact import Description
    from watthour.nilm.summary import Told

_W_DIGITS, _KWH_DIGITS, _DIGITS = 1, 4, 3


def appliances_entry(
    home: Site, window: Window, told: Told, network: Description, *, with_powers: bool = False
) -> dict[str, Any]:
    """Return what is told of the appliances of a home; all of it is estimated, and nothing is told across a gap."""
    time, answer, step_s = told.house.time, told.answer, told.house.step_s
    is_told = answer.is_told
    last = int(np.flatnonzero(is_told)[-1]) if is_told.any() else None
    parts = {each.name: each for each in told.used()}
    appliances = []
    for place, name in enumerate(answer.appliances):
        power = answer.power[:, place]
        appliances.append(
            {
                "name": name,
                "power_watts": None if last is None else _rounded(power[last], _W_DIGITS),
                "probability": None if last is None else _rounded(answer.probability[last, place], _DIGITS),
                "is_on": None if last is None else bool(answer.is_on[last, place]),
                "energy_kwh": _rounded(parts[name].energy_kwh, _KWH_DIGITS),
                "share_percent": _rounded(parts[name].share_percent, _W_DIGITS),
                "hours_on": _rounded(parts[name].hours_on, _DIGITS),
                "runs": [
                    {
                        "start": _text(time[first]),
                        "end": _text(time[end - 1] + step_s),
                        "energy_kwh": _rounded(power[first:end].sum(dtype=np.float64) * step_s / 3.6e6, _KWH_DIGITS),
                    }
                    for part in told.house.segments()
                    for first, end in (runs(answer.is_on[part, place]) + part.start).tolist()
                ],
            }
        )
    other = parts["other"]
    n_steps = round((window.end - window.start) / timedelta(seconds=step_s))
    return {
        "home": home.id,
        "is_simulated": home.is_simulated,
        "start": utc_text(window.start),
        "end": utc_text(window.end),
        "step_seconds": step_s,
        "told_percent": _rounded(100 * float(is_told.sum()) / n_steps, _W_DIGITS) if n_steps else None,
        "told_until": None if last is None else _text(time[last] + step_s),
        "appliances": appliances,
        "other": {
            "power_watts": None if last is None else _rounded(answer.other[last], _W_DIGITS),
            "energy_kwh": _rounded(other.energy_kwh, _KWH_DIGITS),
            "share_percent": _rounded(other.share_percent, _W_DIGITS),
        },
        "powers": _powers(told) if with_powers else None,
        "trained_on": list(network.trained_on),
        "remarks": [str(each) for each in told.house.remarks],
    }


def _powers(told: Told) -> dict[str, Any]:
    """Return each step that has an answer, the powers in W."""
    rows = told.answer.is_told
    return {
        "time": [_text(each) for each in told.house.time[rows]],
        "mains": _list(told.house.mains[rows]),
        "other": _list(told.answer.other[rows]),
        "appliances": {name: _list(told.answer.power[rows, n]) for n, name in enumerate(told.answer.appliances)},
    }


def _list(values: np.ndarray[Any, np.dtype[np.float32]]) -> list[float]:
    return [round(float(each), _W_DIGITS) for each in values]


def _rounded(value: float | np.floating[Any] | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits)


def _text(seconds: int | np.integer[Any]) -> str | None:
    return utc_text(datetime.fromtimestamp(int(seconds), UTC))
