"""Models that serve whatever the day on which the tests run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Outcome


def trained(town: Callable[..., Outcome], recipe: str, *options: str, past_days: int | None = None) -> str:
    """Train a model that serves Simtown and forecasts the past days too; return its version."""
    days = () if past_days is None else ("--past-days", str(past_days))
    ended = town("train", "simtown", "--recipe", recipe, *options, *days, "--json")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)[0]
    version: str = report["version"]
    if report["decision"] == "kept":  # today's frozen days may lie outside of its band too often, or too seldom
        assert town("models", "promote", "simtown", version).code == 0
        assert town("train", "simtown", "--only-past", *days).code == 0
    return version
