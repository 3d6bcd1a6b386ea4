from __future__ import annotations

import pytest

from watthour.core.units import Unit, conversion


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (32.0, Unit.FAHRENHEIT, Unit.CELSIUS, 0.0),
        (-40.0, Unit.FAHRENHEIT, Unit.CELSIUS, -40.0),
        (273.15, Unit.KELVIN, Unit.CELSIUS, 0.0),
        (1.5, Unit.MWH, Unit.KWH, 1500.0),
        (36.0, Unit.KILOMETRE_PER_HOUR, Unit.METRE_PER_SECOND, 10.0),
        (7.0, Unit.PERCENT, Unit.PERCENT, 7.0),
    ],
)
def test_a_unit_becomes_another_of_its_kind(value: float, source: Unit, target: Unit, expected: float) -> None:
    factor, offset = conversion(source, target)
    assert factor * value + offset == pytest.approx(expected)


@pytest.mark.parametrize(("source", "target"), [(Unit.MWH, Unit.MW), (Unit.CELSIUS, Unit.PERCENT)])
def test_units_of_different_things_do_not_mix(source: Unit, target: Unit) -> None:
    with pytest.raises(ValueError, match="measure different things"):
        conversion(source, target)
