import pytest

from trayport_sdk import TrayportConfigurationError, __main__, errors


def test_a_missing_library_names_the_extra_that_brings_it() -> None:
    with pytest.raises(TrayportConfigurationError, match=r"trayport-sdk\[sandbox\]"):
        errors.require_extra("sandbox", "json", "a_library_that_is_not_there")


def test_the_command_without_its_extra_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    assert __main__.main() == 1
    said = capsys.readouterr().err
    assert "trayport-sdk[cli]" in said
    assert said.count("\n") == 1
