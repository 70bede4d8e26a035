import json
from collections.abc import Iterator

import pytest

from tests.policies.server.stub import StubServer, say, serving

WORDS = ["w", "w", "right", "none", "space", "enter", "c"]


@pytest.fixture
def server() -> Iterator[StubServer]:
    pytest.importorskip("httpx")
    with serving(lambda question: (200, say(json.dumps({"actions": WORDS})))) as stub:
        yield stub
