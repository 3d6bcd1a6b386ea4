"""What is heard of things that tell by themselves, as the API and the command line show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watthour.core.heard import UNIT_OF
from watthour.workflows.listening import shown_value
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.heard import LineState
    from watthour.workflows.listening import Found


def found_things(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return each thing with its last values and the channel it fills, the grid's meters first."""
    return [
        {
            "key": each.thing.key,
            "device": each.thing.device,
            "name": each.thing.name,
            "kind": each.thing.kind,
            "source": each.source,
            "channel": each.channel,
            "grid_meter": each.thing.is_grid_meter,
            "values": [
                {
                    "tells": str(tells),
                    "value": last.value,
                    "unit": UNIT_OF[tells],
                    "text": shown_value(tells, last.value),
                    "time": utc_text(last.time),
                    "heard_at": utc_text(last.heard_at),
                }
                for tells, last in sorted(each.values.items())
            ],
        }
        for each in sorted(found, key=lambda one: not one.thing.is_grid_meter)
    ]


def line_states(states: Sequence[LineState]) -> list[dict[str, Any]]:
    """Return how each line to things stands."""
    return [
        {
            "source": state.source,
            "is_connected": state.is_connected,
            "problem": state.problem,
            "remedy": state.remedy,
            "connected_at": utc_text(state.connected_at),
            "last_heard_at": utc_text(state.last_heard_at),
            "messages": state.n_messages,
            "faults": state.n_faults,
        }
        for state in states
    ]


def fault_counts(counts: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Return how often each rule was broken on each topic, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"rule": rule, "topic": topic, "count": count} for (rule, topic), count in ordered]
