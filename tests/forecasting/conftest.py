"""Real history of New York, where it is at hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from watthour.core.forecast import History
from watthour.core.frames import Forecasts
from watthour.core.quality import flag
from watthour.core.region import find_region
from watthour.core.window import Window
from watthour.sources.datasets import recognise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def new_york(shared_data: Path) -> History:
    """Demand and the operator's forecast from the end of 2018 through 2019."""
    region = find_region("ny")
    (source,) = recognise(shared_data / "grid" / "ny_demand.parquet", region)
    span = Window(datetime(2018, 11, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC))
    delivery = source.fetch(span, now=datetime(2026, 1, 1, tzinfo=UTC))
    readings = flag(delivery.readings, source.channels(), source.sites())
    return History(span.end, region.context(), readings, Forecasts.cast(delivery.forecasts))
