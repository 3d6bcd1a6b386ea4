"""What a fitted hour process remembers: its constants, and its training days with the temperature around them."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from watthour.forecasting.hour_process.constants import Constants
from watthour.forecasting.hour_process.days import Days, Place
from watthour.forecasting.hour_process.kernel import Inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Training days in order of time, and what turns a new day into inputs of the same kind."""

    numbers: Instants  # (n,) days since 1970
    log_loads: Array  # (n, 24) NaN where unknown
    windows: Array  # (n, 9, 24) degC, to the precision of its file
    constants: Constants
    names: tuple[str, ...]
    channel: str
    place: Place
    weather: tuple[tuple[str, float], ...]
    fitted_at: datetime

    def inputs(self, numbers: Instants, windows: Array) -> Inputs:
        """Return inputs of days with the temperature around each."""
        return Inputs.of(Days.of(numbers, self.place, self.names), windows)

    def files(self) -> dict[str, bytes]:
        """Return the arrays as a NumPy archive without pickles, and the rest as JSON."""
        arrays = io.BytesIO()
        np.savez_compressed(
            arrays,
            allow_pickle=False,
            numbers=self.numbers,
            log_loads=self.log_loads,
            windows=self.windows.astype(np.float32),
        )
        words: dict[str, Any] = {
            "constants": self.constants.as_json(),
            "names": self.names,
            "channel": self.channel,
            "place": asdict(self.place),
            "weather": self.weather,
            "fitted_at": self.fitted_at.isoformat(),
        }
        return {"days.npz": arrays.getvalue(), "state.json": json.dumps(words, indent=1).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> State:
        """Read the files again."""
        words = json.loads(files["state.json"])
        with np.load(io.BytesIO(files["days.npz"]), allow_pickle=False) as arrays:
            return cls(
                numbers=arrays["numbers"],
                log_loads=arrays["log_loads"],
                windows=arrays["windows"].astype(np.float64),
                constants=Constants.from_json(words["constants"]),
                names=tuple(words["names"]),
                channel=words["channel"],
                place=Place(**words["place"]),
                weather=tuple((prefix, share) for prefix, share in words["weather"]),
                fitted_at=datetime.fromisoformat(words["fitted_at"]),
            )
