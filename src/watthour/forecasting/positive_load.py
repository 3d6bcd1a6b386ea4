"""Refusing loads that are zero or negative, for models that cannot forecast them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.forecasting.vintages import measurement_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import History

OTHER_MODELS_OF_LONG_STEPS = "combination, gradient_boosting, persistence_ensemble or seasonal_naive"
OTHER_MODELS = OTHER_MODELS_OF_LONG_STEPS.replace(",", ", day_regression,", 1)  # of steps of up to an hour
_MOST_NOT_POSITIVE = 0.01  # of the readings; a few zeros are outages


def check_loads(history: History, model: str, name: str, *, why: str = "forecasts logarithms") -> None:
    """Refuse a load that is not positive, for models that measure in parts of it.

    Args:
        history: what is known of it.
        model: as a person calls it.
        name: in the catalogue.
        why: it cannot be otherwise, as a verb and its object.

    Raises:
        InvalidInput: more than 1 % of the readings are zero or negative.
    """
    values = measurement_vintages(history, history.context.channel.id).values
    values = values[np.isfinite(values)]
    share = float(np.mean(values <= 0)) if len(values) else 0.0
    if share > _MOST_NOT_POSITIVE:
        raise InvalidInput(
            "channel",
            history.context.channel.id,
            f"{share:.0%} of its readings are zero or negative, and {model} {why}",
            remedy=f"Choose another model than {name}: {OTHER_MODELS}.",
        )
