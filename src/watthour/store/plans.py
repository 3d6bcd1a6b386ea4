"""Plans of homes as text, and their rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from watthour.core.errors import InvalidInput
from watthour.core.ports import KeptPlan
from watthour.store.tables import plans
from watthour.store.versions import check_instants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from watthour.core.window import Window


def plan_text(made_at: datetime, content: Mapping[str, Any]) -> str:
    """Return a plan as every store keeps it.

    Raises:
        InvalidInput: it cannot be kept.
    """
    check_instants(made_at=made_at)
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        remedy = "Use texts, finite numbers, lists and mappings only."
        raise InvalidInput("content", type(error).__name__, f"JSON cannot say it: {error}", remedy=remedy) from error


def put_plan(connection: Connection, home: str, made_at: datetime, text: str) -> None:
    """Keep a plan in place of the one that was made at the same instant."""
    connection.execute(delete(plans).where(plans.c.site == home, plans.c.made_at == made_at))
    connection.execute(insert(plans).values(site=home, made_at=made_at, content=text))


def drop_plans(connection: Connection, home: str, window: Window) -> None:
    """Drop the plans of a home that were made in a window."""
    made_at = plans.c.made_at
    connection.execute(delete(plans).where(plans.c.site == home, made_at >= window.start, made_at < window.end))


def kept_plans(connection: Connection, home: str, window: Window | None, limit: int | None) -> list[KeptPlan]:
    """Return the plans of a home that were made in a window, the latest first."""
    asked = select(plans).where(plans.c.site == home)
    if window is not None:
        asked = asked.where(plans.c.made_at >= window.start, plans.c.made_at < window.end)
    newest = asked.order_by(plans.c.made_at.desc()).limit(limit)
    return [KeptPlan(row.site, row.made_at, json.loads(row.content)) for row in connection.execute(newest)]
