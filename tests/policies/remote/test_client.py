"""A policy behind a real loopback connection is that policy: chunks, seeds, promises, errors, cards."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gameenv.actions import ActionChunk
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, ServerError, UnknownNameError
from policies import Observation, load_policy
from policies.baselines import RandomPolicy
from policies.card import ModelCard
from policies.conformance import check_policy, example_frames
from policies.evaluation.config import fingerprint
from policies.evaluation.setting import find_setting
from policies.load import NamedSpec, card_of
from policies.options import ModelOptions, RemoteOptions
from policies.remote import PolicyClient
from policies.remote.service import About, Limits
from tests.policies.remote.serving import HASTY, Counts, Echo, Streams, metric, served
from tests.policies.test_bc import make_declaring

GOAL = "Go to the lantern"
LOSSLESS = ModelOptions(remote=RemoteOptions(remote_lossless=True))


@pytest.mark.parametrize("make", [Echo, Counts, Streams, RandomPolicy])
def test_a_served_policy_conforms(make: type) -> None:
    with served(make) as server:
        check_policy(load_policy(str(server.address)))


def test_everything_that_a_policy_is_shown_arrives() -> None:
    frame = np.full((72, 128, 3), 200, np.uint8)
    seen = Observation(frame, GOAL, ("c", "d"), ("left", "right", "enter"), (frame, frame))
    with served(Echo) as server:
        policy = load_policy(str(server.address))
        assert isinstance(policy, PolicyClient)
        assert policy.history == 2
        assert policy.predict(seen) == ActionChunk(("c", "d", "w", "up", "up", "right", "enter"))


def test_the_model_says_what_it_says_in_process(tmp_path: Path) -> None:
    network = make_declaring(0.2, "w")
    network.save(tmp_path / "bc")
    local = load_policy(f"bc:{tmp_path / 'bc'}")
    with served(lambda: load_policy(f"bc:{tmp_path / 'bc'}")) as server:
        remote = load_policy(str(server.address), LOSSLESS)
        for frame in example_frames():
            seen = Observation(frame, GOAL, ("s",))
            assert remote.predict(seen) == local.predict(seen)


def test_a_seed_of_any_size_repeats_what_is_drawn() -> None:
    seed = 10**30
    local = RandomPolicy()
    with served(RandomPolicy) as server:
        remote = load_policy(str(server.address))
        for policy in (local, remote):
            policy.reset(GOAL, seed=seed)
        seen = Observation(example_frames()[0], GOAL)
        assert [local.predict(seen) for _ in range(3)] == [remote.predict(seen) for _ in range(3)]


def test_clients_of_a_policy_with_a_memory_do_not_share_it() -> None:
    with served(Counts) as server:
        first, second = (load_policy(str(server.address)) for _ in range(2))
        seen = Observation(example_frames()[0], GOAL)
        for policy in (first, second):
            policy.reset(GOAL, seed=0)
        heard = [policy.predict(seen).actions.count("w") for policy in (first, second, first, first, second)]
        assert heard == [0, 0, 1, 2, 1]


def test_a_copy_is_free_again_when_its_client_has_gone() -> None:
    with served(Counts, Limits(copies=1)) as server:
        first, second = (load_policy(str(server.address), HASTY) for _ in range(2))
        first.reset(GOAL, seed=0)
        with pytest.raises(ServerError, match=r"answers one client a copy; 1 copies are in use \(--copies\)"):
            second.reset(GOAL, seed=0)
        assert isinstance(first, PolicyClient)
        first.close()
        load_policy(str(server.address)).reset(GOAL, seed=0)


def test_what_the_policy_raises_is_raised_here() -> None:
    frame = example_frames()[0]
    with served(Echo) as server:
        policy = load_policy(str(server.address))
        with pytest.raises(InvalidReply, match="no words"):
            policy.predict(Observation(frame, "mumble"))
        with pytest.raises(GameEnvError, match=r"remote://127.0.0.1:\d+ failed: RuntimeError: out of ideas") as caught:
            policy.predict(Observation(frame, "raise"))
        assert not isinstance(caught.value, ServerError), "the policy is to blame, not the connection"
        assert policy.predict(Observation(frame, GOAL))[0] == "s"
        assert metric(server.address.http, 'gameenv_chunks_total{outcome="invalid-reply"}') == 1
        assert metric(server.address.http, 'gameenv_chunks_total{outcome="policy"}') == 1


def test_words_come_as_they_are_settled() -> None:
    with served(Streams) as server:
        policy = load_policy(str(server.address))
        assert isinstance(policy, PolicyClient)
        seen = Observation(example_frames()[0], GOAL)
        policy.predict(seen)
        began_s, came_s, words = time.monotonic(), [], []
        for word in policy.predict_stream(seen):
            words.append(word)
            came_s.append(time.monotonic() - began_s)
        assert words == list(policy.predict(seen))
        assert came_s[0] < came_s[-1] - 0.15, "the first came well before the last"
        stream = policy.predict_stream(Observation(example_frames()[1], GOAL))
        next(stream)
        del stream
        assert policy.predict(seen)[0] == "s", "what nobody waits for any more is no answer to the next question"


def test_a_batch_is_one_question_and_a_long_one_several() -> None:
    echo = Echo()
    with served(lambda: echo, Limits(message_bytes=200_000, batch=100)) as server:
        policy = load_policy(str(server.address))
        assert isinstance(policy, PolicyClient)
        seen = [Observation(example_frames()[2], GOAL, ("d",) * (n % 3)) for n in range(7)]
        assert policy.predict_batch(seen) == [echo._chunk(each) for each in seen]
        assert sum(echo.sizes) == 7
        assert len(echo.sizes) > 1


def test_an_observation_that_is_too_long_is_not_sent() -> None:
    with served(Echo, Limits(message_bytes=200_000)) as server:
        policy = load_policy(str(server.address), LOSSLESS)
        with pytest.raises(InvalidInputError, match=r"too long for remote://.*--message-mb"):
            policy.predict(Observation(example_frames()[2], GOAL))


def test_sixteen_clients_are_answered_together() -> None:
    echo = Echo()
    echo.pause_s = 0.01
    with served(lambda: echo) as server:
        clients = [load_policy(str(server.address)) for _ in range(16)]
        wrong: list[object] = []

        def play(number: int) -> None:
            frame = np.full((72, 128, 3), 200 if number % 2 else 20, np.uint8)
            for _ in range(5):
                chunk = clients[number].predict(Observation(frame, GOAL))
                if chunk[0] != ("w" if number % 2 else "s"):
                    wrong.append(chunk)

        threads = [threading.Thread(target=play, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert max(echo.sizes) > 1
        assert max(echo.sizes) <= Limits().batch
        assert sum(echo.sizes) == 80
        assert metric(server.address.http, "gameenv_clients") == 16


def test_the_card_travels_and_is_heeded(tmp_path: Path) -> None:
    card = ModelCard("bc", 15)
    with served(Echo, about=About("models/x", card.to_json(), "abc")) as server:
        spec = str(server.address)
        assert card_of(spec) == card
        assert find_setting([NamedSpec("far", spec)]).fps == 15
        assert fingerprint(spec) == "abc"
        policy = load_policy(spec)
        assert isinstance(policy, PolicyClient)
        assert (policy.card, policy.model) == (card, "models/x")


def test_what_the_server_does_not_play_at_is_refused() -> None:
    about = About("models/x", temperature=0.5, declare_at=0.7)
    with served(Echo, about=about) as server:
        spec = str(server.address)
        load_policy(spec, ModelOptions(temperature=0.5, declare_at=0.7))
        with pytest.raises(InvalidInputError, match=r"temperature 0.5, 1 is asked for; give --temperature to gameenv-"):
            load_policy(spec, ModelOptions(temperature=1))
        with pytest.raises(InvalidInputError, match=r"declaring 0.7, 0.9 is asked for"):
            load_policy(spec, ModelOptions(declare_at=0.9))


@pytest.mark.parametrize("spec", ["remote://", "remote://a/b", "remote://u:p@a", "remote://a:99999", "remotes://a?b"])
def test_an_address_is_host_and_port(spec: str) -> None:
    with pytest.raises(InvalidInputError, match=r"remote://host:port"):
        load_policy(spec)


def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(ServerError, match=r"remote://127.0.0.1:9 does not answer .*is gameenv-serve running there"):
        load_policy("remote://127.0.0.1:9")


def test_a_misspelt_scheme_is_none() -> None:
    with pytest.raises((InvalidInputError, UnknownNameError)):
        load_policy("remot://a:1")
