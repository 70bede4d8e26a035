from dataclasses import FrozenInstanceError

import pytest

from gameenv.actions import ACTIONS, CHUNK_LENGTH, KEYS, ActionChunk, action_index, parse_action
from gameenv.errors import InvalidInputError, UnknownNameError

SEVEN = ("w", "w", "left", "none", "space", "enter", "c")


def test_the_vocabulary_is_the_specifications_in_index_order() -> None:
    assert " ".join(ACTIONS) == "none w s a d up down left right c space enter"
    assert ("none", *KEYS) == ACTIONS
    assert CHUNK_LENGTH == 7
    assert [action_index(word) for word in ACTIONS] == list(range(12))


@pytest.mark.parametrize("word", ["W", "jump", "", None, 3])
def test_words_outside_the_vocabulary_are_refused(word: object) -> None:
    with pytest.raises(UnknownNameError, match="unknown action") as refused:
        parse_action(word)
    assert all(known in str(refused.value) for known in ACTIONS)


def test_a_typing_error_gets_a_suggestion() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'right'"):
        parse_action("rigth")


def test_a_chunk_keeps_its_words_and_indices() -> None:
    chunk = ActionChunk.of(list(SEVEN))
    assert chunk.actions == SEVEN
    assert tuple(chunk) == SEVEN
    assert len(chunk) == 7
    assert chunk[2] == "left"
    assert chunk.indices == (1, 1, 7, 0, 10, 11, 9)
    assert hash(ActionChunk.of(SEVEN)) == hash(chunk)


def test_only_seven_none_are_a_declaration() -> None:
    assert ActionChunk.of(["none"] * 7).done
    for slot in range(7):
        words = ["none"] * 7
        words[slot] = "w"
        assert not ActionChunk.of(words).done


@pytest.mark.parametrize("count", [0, 6, 8])
def test_a_chunk_has_exactly_seven(count: int) -> None:
    with pytest.raises(InvalidInputError, match=f"exactly 7 actions, got {count}"):
        ActionChunk.of(["w"] * count)


def test_a_chunk_refuses_words_it_does_not_know() -> None:
    with pytest.raises(UnknownNameError, match="unknown action 'jump'"):
        ActionChunk.of(["jump", *SEVEN[1:]])


def test_a_string_is_not_taken_for_seven_words() -> None:
    with pytest.raises(InvalidInputError, match="a chunk is 7 words"):
        ActionChunk("wwwwwww")  # pyright: ignore[reportArgumentType]


def test_a_chunk_cannot_be_changed() -> None:
    chunk = ActionChunk.of(SEVEN)
    with pytest.raises(FrozenInstanceError):
        chunk.actions = ()  # pyright: ignore[reportAttributeAccessIssue]
