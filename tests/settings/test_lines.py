"""What can be set of brokers and devices, and how a password stays hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput
from watthour.settings import load_settings
from watthour.sources.lines import open_lines
from watthour.sources.mqtt import MqttOptions, open_board

if TYPE_CHECKING:
    from pathlib import Path


def options(home: Path) -> MqttOptions:
    found = load_settings(home=home).sources["mqtt"]
    assert isinstance(found, MqttOptions)
    return found


def test_a_broker_is_set_in_the_file_or_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "watthour.toml").write_text(
        '[sources.mqtt]\nhost = "broker.local"\nusername = "me"\ntopics = ["tele/#", "a/+/b"]\n'
    )
    monkeypatch.setenv("WATTHOUR_MQTT_PORT", "8883")
    monkeypatch.setenv("MQTT_PASSWORD", "hunter22")
    found = options(tmp_path)
    assert (found.host, found.port, found.username, found.topics) == ("broker.local", 8883, "me", ("tele/#", "a/+/b"))
    assert found.password is not None
    assert found.password.get_secret_value() == "hunter22"
    assert "hunter22" not in repr(load_settings(home=tmp_path))
    monkeypatch.setenv("WATTHOUR_MQTT_TOPICS", "tele/#, zigbee2mqtt/+")
    assert options(tmp_path).topics == ("tele/#", "zigbee2mqtt/+")


@pytest.mark.parametrize("topic", ["tele#", "#/a", "a+/b", ""])
def test_a_topic_that_cannot_be_is_refused_with_the_cure(
    tmp_path: Path, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATTHOUR_MQTT_TOPICS", raising=False)
    (tmp_path / "watthour.toml").write_text(f'[sources.mqtt]\nhost = "b"\ntopics = ["{topic}"]\n')
    with pytest.raises(InvalidInput, match=r"sources\.mqtt\.topics") as refused:
        load_settings(home=tmp_path)
    assert "whole levels" in str(refused.value)


def test_a_port_that_cannot_be_is_refused_and_a_password_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "watthour.toml").write_text('[sources.mqtt]\nhost = "b"\nport = 70000\npassword = "hunter22"\n')
    with pytest.raises(InvalidInput, match=r"sources\.mqtt\.port") as refused:
        load_settings(home=tmp_path)
    assert "hunter22" not in str(refused.value)


def test_lines_are_opened_as_the_settings_name_them(tmp_path: Path) -> None:
    (tmp_path / "watthour.toml").write_text(
        '[sources.mqtt]\nhost = "broker.local"\npassword = "hunter22"\n[sources.homewizard]\nhosts = ["192.168.1.20"]\n'
        "[sources.shelly]\nevery_s = 5\n"
    )
    lines = open_lines(load_settings(home=tmp_path).sources, client_id="watthour-1")
    assert [line.name for line in lines] == ["mqtt", "homewizard"]
    assert not any(line.state.is_connected for line in lines)
    assert "hunter22" not in str([vars(line) for line in lines])
    assert open_lines({}, client_id="watthour-1") == []


def test_a_missing_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from watthour.core.errors import MissingExtra

    (tmp_path / "watthour.toml").write_text('[sources.mqtt]\nhost = "broker.local"\n')
    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    for name in ("broker", "subscriber", "announcer"):
        monkeypatch.delitem(sys.modules, f"watthour.sources.mqtt.{name}", raising=False)
    with pytest.raises(MissingExtra, match=r"watthour\[iot\]"):
        open_lines(load_settings(home=tmp_path).sources, client_id="watthour-1")
    announcing = MqttOptions(host="broker.local", announce=True)
    with pytest.raises(MissingExtra, match=r"watthour\[iot\]"):
        open_board(announcing, client_id="watthour-1", home=tmp_path)
