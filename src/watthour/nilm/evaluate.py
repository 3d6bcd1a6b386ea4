"""How well a network tells the appliances of houses whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from watthour.core.errors import InvalidInput, UnknownName
from watthour.nilm.scores import average, house_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from watthour.nilm.houses import House
    from watthour.nilm.scores import Scores
    from watthour.nilm.serve import ServedNetwork
    from watthour.nilm.windows import Windows

    Powers: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The scores of a network in one house."""

    house: str
    role: str
    scores: Mapping[str, Scores]  # by appliance

    @property
    def average(self) -> Mapping[str, float | None]:
        """The mean of each score over the appliances that are metered there."""
        return average(list(self.scores.values()))


def evaluate(
    network: ServedNetwork, windows: Windows, role: str = "test", *, tell: Callable[[str], None] = lambda _: None
) -> list[Evaluated]:
    """Let a network tell the appliances of prepared houses, and compare with what was metered.

    Args:
        network: whose answers are scored.
        windows: prepared houses.
        role: of the houses.
        tell: is told which house it is at.

    Raises:
        UnknownName: no house has this role.
        InvalidInput: the houses were prepared for other steps than the network reads.
    """
    houses = windows.of_role(role)
    if not houses:
        hint = f"There are: {', '.join(sorted({house.role for house in windows.houses.values()}))}."
        raise UnknownName("role", role, "no prepared house has this role", remedy=hint)
    check_step(network, windows.step_s)
    means_w = {
        name: mean for name, known in _of_appliances(windows).items() if (mean := known.get("mean_w")) is not None
    }
    found = []
    for kept in houses:
        tell(kept.name)
        house = kept.loaded(windows.appliances)
        answers = told_powers(network, house)
        found.append(Evaluated(kept.name, kept.role, house_scores(house, answers, means_w)))
    return found


def told_powers(network: ServedNetwork, house: House) -> dict[str, Powers]:
    """Return what a network says that each appliance draws, at the times of a house; NaN where it says nothing [W]."""
    told = network.tell(house.mains, house.segments(), begins=house.begins())
    return {name: told.power[:, place] for place, name in enumerate(told.appliances)}


def check_step(network: ServedNetwork, step_s: int) -> None:
    """Check that mains come in the steps that a network reads.

    Raises:
        InvalidInput: they do not.
    """
    expected = network.description.step_s
    if step_s != expected:
        problem = f"the network was trained on steps of {expected} s and knows no other"
        raise InvalidInput(
            "step_s", step_s, problem, remedy=f"Give mains, or prepare houses, in steps of {expected} s."
        )


def _of_appliances(windows: Windows) -> Mapping[str, Mapping[str, float | None]]:
    found = windows.statistics["appliances"]
    assert isinstance(found, dict)  # noqa: S101 - the hash of the manifest has been checked
    return found
