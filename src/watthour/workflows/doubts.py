"""What came lately and is not believed, counted by who said it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Maker
from watthour.core.quality import DOUBTS, is_trusted
from watthour.core.window import Window
from watthour.workflows.forecast import label_of

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Store

SPAN = timedelta(days=7)  # before now and after it


@dataclass(frozen=True, slots=True)
class Doubted:
    """Values of one maker about one thing that came in and are kept, but not used."""

    what: str  # such as "Operator's forecast of grid.ny.demand"
    n_values: int
    n_doubted: int
    reasons: tuple[str, ...]

    @property
    def words(self) -> str:
        """The whole of it, for a person."""
        return f"{self.n_doubted:,} of {self.n_values:,} values are kept but not used: {'; '.join(self.reasons)}"


def doubted(store: Store, context: Context, now: datetime) -> list[Doubted]:
    """Return what is doubted of a site's readings and its rivals' forecasts, a week back and ahead, and its weather."""
    window, channel = Window(now - SPAN, now + SPAN), context.channel.id
    weather = [covariate.channel for covariate in context.covariates]
    beside = [
        each.id
        for each in store.channels()
        if each.site == context.site.id and each.id != channel and each.id not in weather
    ]
    rivals = [Maker.RIVAL]
    parts = [
        (f"Readings of {channel}", pl.DataFrame(store.read([channel], window, now))),
        ("Other readings of the site", pl.DataFrame(store.read(beside, window, now))),
        ("Weather measured", pl.DataFrame(store.read(weather, window, now))),
        (
            "Weather forecast",
            pl.DataFrame(
                store.forecasts(weather, Window(now, now + SPAN), as_of=now, makers=rivals, latest_issue=True)
            ),
        ),
    ]
    for name in context.rivals:
        rows = store.forecasts([channel], window, as_of=now, models=[name], makers=rivals, latest_issue=True)
        parts.append((f"{label_of(name)} of {channel}", pl.DataFrame(rows)))
    counted = [_counted(what, rows.drop_nulls("value")) for what, rows in parts]
    return [each for each in counted if each.n_doubted]


def _counted(what: str, rows: pl.DataFrame) -> Doubted:
    bad = rows.filter(~is_trusted())
    reasons = [
        f"{words} ({count:,})"
        for quality, words in DOUBTS.items()
        if (count := bad.filter((pl.col("quality") & int(quality)) != 0).height)
    ]
    return Doubted(what, rows.height, bad.height, tuple(reasons))
