"""Which board there is by the settings, as they change while a process runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput
from watthour.sources.boards import Boards, is_wanted
from watthour.sources.mqtt import MqttOptions
from watthour.sources.mqtt.announced import FILE_NAME, Announced

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.sources.options import Options

ON = MqttOptions(host="10.0.0.1", announce=True)
OFF = MqttOptions(host="10.0.0.1")
TARGET = "10.0.0.1:1883 homeassistant"


def test_the_board_stays_the_same_until_what_is_set_changes(tmp_path: Path) -> None:
    options: dict[str, Options] = {}
    boards = Boards(lambda: options, client_id="w", home=tmp_path)
    assert boards.now() is None
    options["mqtt"] = OFF
    assert boards.now() is None
    options["mqtt"] = ON
    board = boards.now()
    assert board is not None
    assert board.target == TARGET
    assert boards.now() is board
    options["mqtt"] = ON.model_copy(update={"username": "watthour"})
    other = boards.now()
    assert other is not None
    assert (other is board, other.target) == (False, TARGET)
    del options["mqtt"]
    assert boards.now() is None


def test_what_was_announced_is_taken_away_after_it_was_switched_off_also_in_a_later_process(tmp_path: Path) -> None:
    announced = Announced(tmp_path, TARGET)
    announced.installation()
    announced.note("homeassistant/device/x/config", {"price": "sensor"})
    options: dict[str, Options] = {"mqtt": OFF}
    boards = Boards(lambda: options, client_id="w", home=tmp_path)
    board = boards.now()
    assert board is not None
    is_over = [board.is_over]
    announced.note("homeassistant/device/x/config", None)
    assert [*is_over, board.is_over] == [False, True]
    assert boards.now() is None


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, False),
        ({"mqtt": OFF}, False),
        ({"mqtt": ON}, True),
        ({"mqtt": MqttOptions(announce=True)}, False),
        ({"mqtt": ON.model_copy(update={"enabled": False})}, False),
    ],
)
def test_nobody_is_told_unless_it_is_said(options: dict[str, Options], *, wanted: bool) -> None:
    assert is_wanted(options) is wanted


def test_the_id_of_an_installation_stays_and_brokers_stand_apart(tmp_path: Path) -> None:
    first, second = Announced(tmp_path, "a"), Announced(tmp_path, "b")
    assert first.installation() == second.installation() == Announced(tmp_path, "a").installation()
    first.note("topic", {"price": "sensor"})
    assert (dict(first.all()), dict(second.all())) == ({"topic": {"price": "sensor"}}, {})
    first.note("topic", None)
    assert not first.all()


@pytest.mark.parametrize("content", ["", "[]", '{"installation": 1}', '{"brokers": [], "installation": "a"}'])
def test_a_damaged_file_is_named_and_its_cure_heals_it(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    announced = Announced(tmp_path, TARGET)
    with pytest.raises(InvalidInput, match="file of announcements") as told:
        announced.installation()
    assert "remove it" in str(told.value)
    (tmp_path / FILE_NAME).unlink()
    assert announced.installation()
