import json

import numpy as np
import pytest

from gameenv.errors import InvalidInputError
from recording.rows import decode_row, encode_row, parse_source


def test_a_row_survives_the_way_to_disk_and_back(make_row):
    row = make_row(3, ("w",), ((0.2, "w", False), (0.5, "space", True)), goal="Go to the lámpara", info={"tick": 3})
    line = encode_row(row)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b": " not in line
    assert decode_row(json.loads(line)) == row


def test_numpy_values_and_strange_ones_become_json(make_row):
    info = {
        "bool": np.bool_(True),
        "int": np.int64(3),
        "float": np.float32(0.5),
        "array": np.arange(3),
        "nan": float("nan"),
        "numpy nan": np.float32("inf"),
        "nested": {"x": (np.uint8(7), float("-inf"))},
        4: {1, 2} and "set",
        "object": np.dtype("uint8"),
    }
    back = json.loads(encode_row(make_row(info=info)), parse_constant=lambda name: pytest.fail(f"not JSON: {name}"))
    assert back["info"] == {
        "bool": True,
        "int": 3,
        "float": 0.5,
        "array": [0, 1, 2],
        "nan": None,
        "numpy nan": None,
        "nested": {"x": [7, None]},
        "4": "set",
        "object": "uint8",
    }


def test_a_line_without_a_field_says_which(make_row):
    content = json.loads(encode_row(make_row()))
    del content["take"]
    with pytest.raises(InvalidInputError, match="take"):
        decode_row(content)
    with pytest.raises(InvalidInputError, match="wrong kind"):
        decode_row({**content, "take": 0, "events": [[1, 2]]})


def test_an_unknown_source_is_refused():
    with pytest.raises(InvalidInputError, match="human, policy, expert, noise, correction"):
        parse_source("ghost")
