"""The token of the tests, for clients in this process and in those that it starts."""

import pytest

from tests.policies.remote.serving import TOKEN

for library in ("msgspec", "prometheus_client", "websockets"):
    pytest.importorskip(library)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("GAMEENV_TOKEN", TOKEN)
    return TOKEN
