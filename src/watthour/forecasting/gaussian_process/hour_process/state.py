"""What a fitted hour process remembers: its constants, and its training days with the temperature around them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from watthour.core.place import Place
from watthour.forecasting.gaussian_process.archive import pack, unpack
from watthour.forecasting.gaussian_process.hour_process.calendar import CalendarDays
from watthour.forecasting.gaussian_process.hour_process.constants import Constants
from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs
from watthour.forecasting.gaussian_process.hour_process.load_scale import LoadScale
from watthour.forecasting.gaussian_process.hour_process.temperature import Thermometers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Training days in order of time, and what turns a new day into inputs of the same kind."""

    numbers: Instants  # (n,) days since 1970
    values: Array  # (n, 24) loads on their scale; NaN where unknown
    known_since: Instants  # (n,) when all of each day's load had become known [microseconds]
    windows: Array  # (n, 9, 24) degC, to the precision of its file
    constants: Constants
    scale: LoadScale
    channel: str
    place: Place
    thermometers: Thermometers
    fitted_at: datetime

    @property
    def has_sun(self) -> bool:
        """Whether the place's coordinates are known, and with them the sun."""
        return self.place.latitude is not None and self.place.longitude is not None

    @property
    def has_temperature(self) -> bool:
        """Whether temperature is known at all; without it, a cold week looks like a shift of the level."""
        return bool(self.thermometers.points)

    def inputs(self, numbers: Instants, windows: Array) -> Inputs:
        """Return inputs of days, (n,), with the temperature around each, (n, 9, 24) [degC]."""
        return Inputs.of(CalendarDays.of(numbers, self.place), windows)

    def files(self) -> dict[str, bytes]:
        """Return the arrays as a NumPy archive, and the rest as JSON."""
        return pack(
            {
                "numbers": self.numbers,
                "values": self.values,
                "known_since": self.known_since,
                "windows": self.windows.astype("float32"),
            },
            {
                "constants": self.constants.as_json(),
                "scale": self.scale.as_json(),
                "channel": self.channel,
                "place": asdict(self.place),
                "thermometers": self.thermometers.as_json(),
                "fitted_at": self.fitted_at.isoformat(),
            },
        )

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files again."""
        arrays, words = unpack(files)
        return cls(
            numbers=arrays["numbers"],
            values=arrays["values"],
            known_since=arrays["known_since"],
            windows=arrays["windows"].astype("float64"),
            constants=Constants.from_json(words["constants"]),
            scale=LoadScale(**words["scale"]),
            channel=words["channel"],
            place=Place(**words["place"]),
            thermometers=Thermometers.from_json(words["thermometers"]),
            fitted_at=datetime.fromisoformat(words["fitted_at"]),
        )
