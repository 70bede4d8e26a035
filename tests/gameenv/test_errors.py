import inspect

import pytest

import gameenv.errors
from gameenv.errors import (
    DiskFullError,
    EngineGoneError,
    GameEnvError,
    InvalidInputError,
    InvalidReply,
    MissingExtraError,
    SessionError,
    UnknownNameError,
    require,
)


def test_every_error_is_a_gameenv_error_and_is_drawn_in_the_tree() -> None:
    errors = [each for _, each in inspect.getmembers(gameenv.errors, inspect.isclass) if issubclass(each, Exception)]
    assert {InvalidInputError, UnknownNameError, SessionError, DiskFullError, EngineGoneError} <= set(errors)
    for error in errors:
        assert issubclass(error, GameEnvError)
        assert error.__name__ in (gameenv.errors.__doc__ or "")


def test_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(UnknownNameError, ValueError)
    assert issubclass(InvalidReply, InvalidInputError)
    assert issubclass(InvalidInputError, ValueError)
    assert issubclass(MissingExtraError, ImportError)


def test_an_unknown_name_lists_the_valid_ones_and_the_nearest() -> None:
    error = UnknownNameError("task", "go-to-lanten", ["go-to-lantern", "open-door"])
    assert str(error) == ("unknown task 'go-to-lanten'. Did you mean 'go-to-lantern'? Valid: go-to-lantern, open-door.")
    assert error.suggestion == "go-to-lantern"


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    error = UnknownNameError("task", "xyzzy", ["go-to-lantern"])
    assert error.suggestion is None
    assert "Did you mean" not in str(error)


def test_require_gives_the_module() -> None:
    assert require("json.decoder", "arena").__name__ == "json.decoder"


def test_a_missing_package_names_the_command_that_installs_it() -> None:
    with pytest.raises(MissingExtraError, match=r'pip install -c constraints.txt -e "\.\[vlm\]"'):
        require("no_such_package_at_all.part", "vlm")


def test_a_package_that_lacks_something_itself_is_not_called_missing(tmp_path, monkeypatch) -> None:
    (tmp_path / "needs_more.py").write_text("import no_such_package_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="no_such_package_at_all") as refused:
        require("needs_more", "vlm")
    assert not isinstance(refused.value, MissingExtraError)
