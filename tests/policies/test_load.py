"""``load_policy``: every way to name a policy, and what a wrong name is told."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gameenv.errors import GameEnvError, InvalidInputError, UnknownNameError
from gameenv.frames import FrameSpec
from policies.baselines import NonePolicy, RandomPolicy
from policies.card import ModelCard
from policies.load import NamedSpec, card_of, load_policy, model_folder, parse_named_specs


def test_names() -> None:
    assert isinstance(load_policy("none"), NonePolicy)
    assert isinstance(load_policy("random"), RandomPolicy)
    assert type(load_policy("expert")).__name__ == "Expert"


@pytest.mark.parametrize(("wrong", "meant"), [("randon", "random"), ("Expert", "expert"), ("nones", "none")])
def test_one_wrong_letter_gets_a_suggestion(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean '{meant}'") as caught:
        load_policy(wrong)
    assert caught.value.suggestion == meant


@pytest.mark.parametrize("wrong", ["relpay:session", "relpay:dataset/x", "replai:C:\\x"])
def test_one_wrong_letter_before_a_colon_gets_a_suggestion(wrong: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'replay'"):
        load_policy(wrong)


@pytest.mark.parametrize("spec", ["", "what is this", "xyzzy"])
def test_what_is_nothing_lists_the_choices(spec: str) -> None:
    with pytest.raises(UnknownNameError, match="replay:<session>"):
        load_policy(spec)


def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub() -> None:
    with pytest.raises(InvalidInputError, match=r"no model folder 'models/gameplay_agent_lora' here"):
        load_policy("models/gameplay_agent_lora")


def test_windows_paths_keep_their_drive() -> None:
    assert model_folder("bc:C:\\models\\bc") == Path("C:\\models\\bc")
    with pytest.raises(InvalidInputError, match=r"no model folder 'C:\\models\\bc'"):
        load_policy("bc:C:\\models\\bc")
    with pytest.raises(InvalidInputError, match=r"no model folder 'C:\\models\\bc'"):
        load_policy("C:\\models\\bc")


@pytest.mark.parametrize("spec", ["bc", "bc:", "replay", "replay:"])
def test_a_kind_without_its_folder_says_so(spec: str) -> None:
    with pytest.raises(InvalidInputError, match="needs a folder behind a colon"):
        load_policy(spec)


def test_a_name_with_something_behind_it_says_so() -> None:
    with pytest.raises(InvalidInputError, match="takes nothing behind a colon"):
        load_policy("random:3")


def test_a_folder_without_a_card_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"has no gameenv\.json"):
        load_policy(str(tmp_path))
    with pytest.raises(InvalidInputError, match=r"has no gameenv\.json"):
        load_policy(f"bc:{tmp_path}")


def test_a_card_of_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    ModelCard(kind="bcc", fps=10).save(tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'bc'"):
        load_policy(str(tmp_path))


def test_a_model_folder_that_is_not_there_is_said_before_its_card_is_missed() -> None:
    with pytest.raises(InvalidInputError, match="no model folder 'nowhere'"):
        card_of("bc:nowhere")


def test_two_of_one_name_are_shown_how_to_be_told_apart() -> None:
    with pytest.raises(InvalidInputError, match=r"'x'; .*first=random second=none"):
        parse_named_specs(["x=random", "x=none"])


def test_the_card_can_be_read_without_the_model(tmp_path: Path) -> None:
    card = ModelCard(kind="bc", fps=10, recorded=FrameSpec(128, 72))
    card.save(tmp_path)
    assert card_of(f"bc:{tmp_path}") == card_of(str(tmp_path)) == card
    assert card_of("random") is None


def test_anyones_own_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_players.py").write_text(
        "from policies.baselines import RandomPolicy\n"
        "ready = RandomPolicy()\n"
        "class Nested:\n    make = RandomPolicy\n"
        "def build():\n    return RandomPolicy()\n"
        "def needs(thing):\n    return thing\n"
        "number = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("build", "ready", "RandomPolicy", "Nested.make"):
        assert isinstance(load_policy(f"own_players:{name}"), RandomPolicy)
    assert load_policy("own_players:ready") is load_policy("own_players:ready")
    with pytest.raises(UnknownNameError, match="Did you mean 'build'"):
        load_policy("own_players:biuld")
    with pytest.raises(InvalidInputError, match="without arguments"):
        load_policy("own_players:needs")
    with pytest.raises(InvalidInputError, match="is a int"):
        load_policy("own_players:number")
    with pytest.raises(InvalidInputError, match="which is not a policy"):
        load_policy("own_players:Nested")
    sys.modules.pop("own_players")


def test_a_missing_module_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(InvalidInputError, match="no module 'quux_players'"):
        load_policy("quux_players:build")
    (tmp_path / "half_players.py").write_text("import quux_missing\n")
    with pytest.raises(ModuleNotFoundError, match="quux_missing"):
        load_policy("half_players:build")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("random", NamedSpec("random", "random")),
        ("tuned=models/x", NamedSpec("tuned", "models/x")),
        ("bc:C:\\a=b", NamedSpec("bc:C:\\a=b", "bc:C:\\a=b")),
        ("v1.2-b=bc:runs/lr=3", NamedSpec("v1.2-b", "bc:runs/lr=3")),
        ("./lr=3", NamedSpec("./lr=3", "./lr=3")),
    ],
)
def test_a_policy_can_be_given_a_name(text: str, named: NamedSpec) -> None:
    assert parse_named_specs([text]) == (named,)


def test_names_are_used_once_and_specs_are_not_empty() -> None:
    with pytest.raises(InvalidInputError, match="two policies are called 'random'"):
        parse_named_specs(["random", "none", "random"])
    with pytest.raises(InvalidInputError, match="names no policy"):
        parse_named_specs(["tuned="])


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, policies, policies.evaluation.__main__, policies.conformance; "
        "print([m for m in ('torch', 'transformers', 'vizdoom', 'scipy', 'pandas', 'matplotlib', 'av',"
        " 'jinja2', 'mss', 'pynput') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.slow
def test_every_error_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for spec in ("randon", "bc:", "a/b", "http://x", "quux:f"):
        with pytest.raises(GameEnvError) as caught:
            load_policy(spec)
        assert "\n" not in json.dumps(str(caught.value))
