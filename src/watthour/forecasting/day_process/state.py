"""What a fitted day process remembers: its training days as arrays, and how it is usually asked."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.forecasting.day_process.asks import Habit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Training days in order of time, and what turns a new day into inputs of the same kind."""

    days: Instants  # (n,) since 1970
    log_loads: Array  # (n, 24)
    weather: Array  # (n, places, LAGS, 4) degC as known at issue, places filled; NaN where nobody forecast the day
    log_operator: Array  # (n, 24) NaN where there is none
    offsets: Array  # (places, 4) of each place from the mean of all, degC
    special_names: tuple[str, ...]
    habit: Habit
    channel: str
    time_zone: str
    holidays: str | None
    places: tuple[tuple[str, float], ...]
    fitted_at: datetime

    @property
    def weights(self) -> Array:
        """The share of the load of each place; equal shares where none is known."""
        weights = np.array([weight for _, weight in self.places], dtype=np.float64)
        return weights if weights.sum() > 0 else np.ones(len(weights))

    def files(self) -> dict[str, bytes]:
        """Return the arrays as a NumPy archive without pickles, and the rest as JSON."""
        arrays = io.BytesIO()
        np.savez_compressed(
            arrays,
            allow_pickle=False,
            days=self.days,
            log_loads=self.log_loads.astype(np.float32),
            weather=self.weather.astype(np.float32),
            log_operator=self.log_operator.astype(np.float32),
            offsets=self.offsets,
        )
        words: dict[str, Any] = {
            "special_names": self.special_names,
            "habit": asdict(self.habit),
            "channel": self.channel,
            "time_zone": self.time_zone,
            "holidays": self.holidays,
            "places": self.places,
            "fitted_at": self.fitted_at.isoformat(),
        }
        return {"days.npz": arrays.getvalue(), "state.json": json.dumps(words, indent=1).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> State:
        """Read the files again."""
        words = json.loads(files["state.json"])
        with np.load(io.BytesIO(files["days.npz"]), allow_pickle=False) as arrays:
            return cls(
                days=arrays["days"],
                log_loads=arrays["log_loads"].astype(np.float64),
                weather=arrays["weather"].astype(np.float64),
                log_operator=arrays["log_operator"].astype(np.float64),
                offsets=arrays["offsets"],
                special_names=tuple(words["special_names"]),
                habit=Habit(**words["habit"]),
                channel=words["channel"],
                time_zone=words["time_zone"],
                holidays=words["holidays"],
                places=tuple((place, weight) for place, weight in words["places"]),
                fitted_at=datetime.fromisoformat(words["fitted_at"]),
            )


def as_kept(values: Array) -> Array:
    """Return values as precise as the files keep them, so that a model says the same before and after."""
    return values.astype(np.float32).astype(np.float64)
