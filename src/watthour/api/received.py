"""Rows that are sent, by HTTP or WebSocket: counted, kept, and answered for."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from watthour.api.problems import Refusal, shown
from watthour.api.schemas.homes import DoubtedSentRows, KeptRows, RefusedSentRow
from watthour.workflows.receive import receive

if TYPE_CHECKING:
    from watthour.api.schemas.homes import SentRows
    from watthour.api.state import State
    from watthour.workflows.receive import Received

MOST_ROWS = 10_000


def check_count(asked: SentRows) -> None:
    """Raise a Refusal where more rows are sent at once than are taken."""
    n_rows = len(asked.readings) + len(asked.samples)
    if n_rows > MOST_ROWS:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too-many-rows",
            f"The request has {n_rows:,} rows; at most {MOST_ROWS:,} are taken at once. Nothing of it was stored.",
            remedy=f"Send them in several requests of at most {MOST_ROWS:,} rows each.",
        )


def keep(state: State, asked: SentRows) -> Received:
    """Keep rows durably; readings are made of samples soon after."""
    app = state.app
    return receive(app.store, readings=asked.readings, samples=asked.samples, now=state.now(), settler=app.settler)


def kept_rows(done: Received) -> KeptRows:
    """Return what became of the rows, as it is answered."""
    return KeptRows(
        accepted=done.accepted,
        new=done.new,
        refused=[
            RefusedSentRow(
                table=each.table,  # type: ignore[arg-type]  # one of the two
                row=each.row,
                field=each.field,
                value=shown(each.value),
                problem=each.problem,
                remedy=each.remedy,
            )
            for each in done.refused
        ],
        doubted=[
            DoubtedSentRows(
                channel=each.channel, rule=each.rule, count=each.count, problem=each.problem, remedy=each.remedy
            )
            for each in done.doubted
        ],
    )
