"""What goes wrong with real windows, made to go wrong for real: no key stays down, none goes astray, nothing hangs."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gameenv import temporary
from gameenv.actions import action_index
from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.opening import open_sender, open_window_system
from gameenv.doctor.desktop import check_left_down
from gameenv.errors import AmbiguousWindowError, DisplayError, GameEnvError, NoWindowError, WindowBusyError, WindowError
from gameenv.live.env import LiveEnv
from tests.conftest import is_alive, keys_down
from tests.gameenv.live.display import Probe, wait_for, x_server

W = action_index("w")
XK_F9 = 65478
Make = Callable[..., LiveEnv]
MakeProbe = Callable[..., Probe]

PLAYER = """
    import gymnasium as gym, gameenv, signal, sys, time
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup and background jobs have them ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    env = gym.make("gameenv/Live-v0", window="^Probe$", **{kwargs})
    env.reset()
    env.step(1)
    print(env.unwrapped.watchdog_pid, flush=True)
    while True:
        {body}
"""


@pytest.fixture
def sender(display: str) -> Iterator[KeySender]:
    sender = open_sender()
    yield sender
    sender.close()


def start_player(body: str, kwargs: str = "{}") -> tuple[subprocess.Popen[str], int]:
    """Run a script that holds w and then does what ``body`` says; returns it and its watchdog's process number."""
    code = textwrap.dedent(PLAYER).format(body=body, kwargs=kwargs)
    player = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert player.stdout is not None
    line = player.stdout.readline()
    assert line, "the player did not start"
    return player, int(line)


def ended(player: subprocess.Popen[str], watchdog: int) -> None:
    player.wait(15)
    assert player.stdout is not None
    player.stdout.close()
    wait_for(lambda: not is_alive(watchdog))


# Every way out


@pytest.mark.slow
@pytest.mark.parametrize("body", ["env.step(1)", "time.sleep(0.05)"])
def test_sigkill_of_the_whole_process_group_while_a_key_is_down(probe: Probe, body: str) -> None:
    player, watchdog = start_player(body)
    wait_for(lambda: probe.down == ["w"])
    os.killpg(player.pid, signal.SIGKILL)
    wait_for(lambda: not probe.down)
    ended(player, watchdog)


@pytest.mark.slow
def test_sigkill_while_another_process_keeps_the_connection_open(probe: Probe) -> None:
    """A forked worker has inherited the connection, so its end is not noticed by that."""
    player, watchdog = start_player(
        "import os; os.fork() or (time.sleep(3), os._exit(0)); [env.step(1) for _ in range(99)]"
    )
    time.sleep(0.3)
    os.kill(player.pid, signal.SIGKILL)
    wait_for(lambda: not probe.down, seconds=1.5)
    ended(player, watchdog)


@pytest.mark.slow
@pytest.mark.parametrize(
    "body", ["raise ValueError('the policy is broken')", "sys.exit()", "import os; os.abort()", "env.close(); break"]
)
def test_every_other_end_of_the_program(probe: Probe, body: str) -> None:
    player, watchdog = start_player(body)
    wait_for(lambda: ("w", False) in probe.keys)
    ended(player, watchdog)
    assert not probe.down


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals(probe: Probe, number: signal.Signals) -> None:
    player, watchdog = start_player("env.step(1)")
    wait_for(lambda: probe.down == ["w"])
    os.kill(player.pid, number)
    wait_for(lambda: not probe.down)
    ended(player, watchdog)


@pytest.mark.slow
def test_a_policy_that_hangs(probe: Probe) -> None:
    """SIGSTOP is the worst of them: not even another thread runs."""
    player, watchdog = start_player("env.step(1)")
    wait_for(lambda: probe.down == ["w"])
    os.kill(player.pid, signal.SIGSTOP)
    wait_for(lambda: not probe.down, seconds=2)
    os.kill(player.pid, signal.SIGCONT)
    wait_for(lambda: probe.down == ["w"])  # it goes on by itself
    os.kill(player.pid, signal.SIGKILL)
    ended(player, watchdog)


@pytest.mark.slow
def test_the_watchdog_itself_is_killed(probe: Probe, make_env: Make) -> None:
    env = make_env()
    env.reset()
    env.step(W)
    wait_for(lambda: probe.down == ["w"])
    watchdog = env.watchdog_pid
    assert watchdog is not None
    os.kill(watchdog, signal.SIGKILL)
    wait_for(lambda: not probe.down)
    _, _, terminated, truncated, info = env.step(W)
    assert (terminated, truncated, info["truncated_because"]) == (False, True, "watchdog-ended")
    env.reset()
    assert env.step(W)[4]["held"] == ("w",)


def test_the_watchdog_is_asked_to_end(probe: Probe, make_env: Make) -> None:
    env = make_env()
    env.reset()
    env.step(W)
    assert env.watchdog_pid is not None
    os.kill(env.watchdog_pid, signal.SIGTERM)
    wait_for(lambda: probe.keys and not probe.down)
    assert env.step(W)[4]["truncated_because"] == "watchdog-ended"


@pytest.mark.slow
def test_player_and_watchdog_are_killed_at_once(probe: Probe, make_env: Make) -> None:
    player, watchdog = start_player("env.step(1)")
    wait_for(lambda: probe.down == ["w"])
    os.kill(player.pid, signal.SIGSTOP)  # so that it cannot let go when the watchdog is gone
    os.kill(watchdog, signal.SIGKILL)
    os.kill(player.pid, signal.SIGKILL)
    ended(player, watchdog)
    time.sleep(0.2)
    assert probe.down == ["w"], "nobody is left to let go of it"
    (finding,) = check_left_down()
    assert finding.level == "yellow"
    assert finding.text.startswith("w: no person holds")
    said: list[str] = []
    env = make_env(notify=said.append)
    env.reset()
    wait_for(lambda: not probe.down)
    assert said == ["let go of w, which a run that was killed had left down"]
    assert list(check_left_down()) == []


@pytest.mark.slow
def test_the_machine_was_suspended(probe: Probe, make_env: Make) -> None:
    env = make_env()
    env.reset()
    env.step(W)
    watchdog = env.watchdog_pid
    assert watchdog is not None
    os.kill(watchdog, signal.SIGSTOP)
    time.sleep(1.0)
    os.kill(watchdog, signal.SIGCONT)
    wait_for(lambda: not probe.down)
    _, _, _, _, info = env.step(0)
    assert info["late"]
    assert info["skipped"] >= 8
    after = [env.step(0)[4] for _ in range(5)]
    assert [info["skipped"] for info in after[1:]] == [0, 0, 0, 0], "no tick after it is shifted"


# Focus


@pytest.mark.slow
def test_alt_tab_in_the_middle_of_a_hold(probe: Probe, make_probe: MakeProbe, make_env: Make) -> None:
    said: list[str] = []
    env = make_env(notify=said.append, focus_timeout_s=20)
    env.reset()
    other = make_probe("Other", "300x200+1000+600", focus=False)
    env.step(W)
    wait_for(lambda: probe.down == ["w"])
    other.focus()
    wait_for(lambda: not keys_down(os.environ["DISPLAY"]))
    code = f"""
import time
from Xlib import X, display
time.sleep(1.0)
connection = display.Display()
connection.set_input_focus(connection.create_resource_object("window", {probe.handle}), X.RevertToNone, X.CurrentTime)
connection.sync()
"""
    back = subprocess.Popen([sys.executable, "-c", code])
    _, _, _, truncated, info = env.step(W)
    assert back.wait(10) == 0
    assert not truncated
    assert info["focused"]
    assert info["interrupted"]
    assert info["skipped"] >= 5
    assert info["held"] == (), "what was planned before is not pressed on return"
    assert [key for key, down in other.keys if down] in ([], ["w"]), "at most one repeat came through"
    assert any("Click into its window" in text for text in said)
    assert not env.step(W)[4]["interrupted"]


@pytest.mark.slow
def test_the_focus_does_not_come_back(probe: Probe, make_probe: MakeProbe, make_env: Make) -> None:
    env = make_env(focus_timeout_s=0.5, notify=lambda text: None)
    env.reset()
    make_probe("Other", "300x200+1000+600")
    before = time.monotonic()
    frame, _, terminated, truncated, info = env.step(W)
    assert time.monotonic() - before < 5
    assert (terminated, truncated, info["truncated_because"]) == (False, True, "focus-lost")
    assert frame in env.observation_space
    with pytest.raises(WindowError, match="focus"):
        env.reset()
    probe.focus()
    env.reset()


def test_keys_never_go_to_another_window(probe: Probe, make_probe: MakeProbe, make_env: Make) -> None:
    other = make_probe("Other", "300x200+1000+600")
    env = make_env(focus_timeout_s=0.3, notify=lambda text: None)
    with pytest.raises(WindowError, match="focus"):
        env.reset()
    assert (probe.keys, other.keys) == ([], [])


# The window


@pytest.mark.slow
def test_the_window_is_closed_and_the_game_restarts(make_probe: MakeProbe, make_env: Make) -> None:
    first = make_probe()
    env = make_env()
    env.reset()
    env.step(W)
    first.close()
    _, _, _, truncated, info = env.step(W)
    assert truncated
    assert info["truncated_because"] == "window-closed"
    with pytest.raises(NoWindowError, match="Probe"):
        env.reset()
    second = make_probe()
    _, info = env.reset()
    assert info["tick"] == 0
    env.step(W)
    assert second.keys == [("w", True)]
    env.step(0)


def test_a_window_of_the_same_title_gets_nothing(probe: Probe, make_probe: MakeProbe, make_env: Make) -> None:
    env = make_env(focus_timeout_s=0.3, notify=lambda text: None)
    env.reset()
    twin = make_probe()
    assert env.step(W)[4]["truncated_because"] == "focus-lost"
    assert twin.keys == []
    with pytest.raises(AmbiguousWindowError, match="2 windows"):
        make_env(window="Prob").reset()


def test_two_windows_match(make_probe: MakeProbe, make_env: Make) -> None:
    make_probe("Game one", focus=False)
    make_probe("Game two", focus=False)
    with pytest.raises(AmbiguousWindowError, match=r"(?s)Game one.*Game two") as raised:
        make_env(window="game").reset()
    assert "process" in str(raised.value)
    with pytest.raises(NoWindowError, match=r"(?s)no window has title 'nope'.*Game one"):
        make_env(window="nope").reset()


def test_minimised_and_restored_with_a_window_manager(
    window_manager: None, make_probe: MakeProbe, make_env: Make
) -> None:
    probe = make_probe()
    env = make_env(control="human")
    env.reset()
    probe.tell("iconify")
    info = wait_for(lambda: (found := env.step(0)[4])["problem"] and found)
    assert (info["problem"], info["focused"]) == ("minimised", False)
    probe.tell("map")
    wait_for(lambda: env.step(0)[4]["problem"] is None)


def test_unmapped_without_a_window_manager(probe: Probe, make_env: Make) -> None:
    env = make_env(control="human")
    env.reset()
    probe.tell("unmap")
    assert wait_for(lambda: env.step(0)[4]["problem"]) == "minimised"


@pytest.mark.parametrize(
    ("place", "problem"),
    [("-300 -100", "partly-off-screen"), ("1900 100", "partly-off-screen"), ("-3000 0", "off-screen")],
)
def test_off_the_screen_and_at_negative_coordinates(probe: Probe, make_env: Make, place: str, problem: str) -> None:
    env = make_env(notify=lambda text: None, fit="stretch")
    env.reset()
    probe.tell(f"move {place}")
    env.step(0)
    frame, *_, info = env.step(0)
    assert info["problem"] == problem
    assert frame.min() == 0, "what is off the screen is black"
    assert (frame.max() > 0) == (problem == "partly-off-screen")


@pytest.mark.slow
def test_a_black_picture_is_named(probe: Probe, make_env: Make) -> None:
    said: list[str] = []
    env = make_env(notify=said.append)
    probe.tell("colour 0 0 0")
    env.reset()
    assert wait_for(lambda: env.step(0)[4]["problem"]) == "black"
    assert any("borderless" in text for text in said)
    probe.tell("colour 9 90 9")
    wait_for(lambda: env.step(0)[4]["problem"] is None)


@pytest.mark.slow
def test_a_frozen_picture_is_named(probe: Probe, make_env: Make) -> None:
    env = make_env(notify=lambda text: None)
    env.reset()
    assert wait_for(lambda: env.step(0)[4]["problem"]) == "frozen"
    assert not env.step(0)[4]["new_frame"]
    frame_is_new = env.step(W)[4]
    assert (frame_is_new["new_frame"], frame_is_new["problem"]) == (True, None)
    env.step(0)


def test_the_desktop_grows_and_the_game_with_it(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xephyr is an X server in a window: its desktop is as large as that."""
    with x_server("Xephyr", "-resizeable", "-screen", "640x480", DISPLAY=display) as inner:
        from Xlib import display as xdisplay  # noqa: PLC0415

        outer = xdisplay.Display(display)
        frame = wait_for(lambda: outer.screen().root.query_tree().children)[-1]
        monkeypatch.setenv("DISPLAY", inner)
        probe = Probe("Probe", "600x400+10+10")
        probe.focus()
        env = LiveEnv(window="^Probe$", fit="stretch", notify=lambda text: None)
        system = open_window_system()
        try:
            env.reset()
            for size in ((1200, 800), (500, 300), (1300, 900)):
                frame.configure(width=size[0], height=size[1])
                outer.sync()
                wait_for(lambda size=size: system.state(probe.handle).desktop.width == size[0])
                probe.tell(f"resize {size[0] - 20} {size[1] - 20}")
                steps = [env.step(0) for _ in range(3)]
                assert not any(truncated for _, _, _, truncated, _ in steps)
                assert (steps[-1][0] == 90).all(), "all of the window is seen"
        finally:
            env.close()
            system.close()
            probe.close()
            outer.close()


# Keys


def test_the_panic_key(probe: Probe, make_env: Make, sender: KeySender) -> None:
    env = make_env()
    env.reset()
    env.step(W)
    sender.send("f12", True)
    wait_for(lambda: not probe.down)  # the game hears that w is up while the panic key is still down
    sender.send("f12", False)
    _, _, _, truncated, info = env.step(W)
    assert truncated
    assert info["truncated_because"] == "panic-key"
    assert probe.keys.count(("w", True)) == 1


def test_the_game_does_not_get_the_panic_and_hand_back_keys(probe: Probe, make_env: Make, sender: KeySender) -> None:
    env = make_env(panic_key="f9", hand_back_key="f8")
    env.reset()
    for key in ("f8", "f12"):
        sender.send(key, True)
        sender.send(key, False)
    wait_for(lambda: ("65481", False) in probe.keys)
    assert {key for key, down in probe.keys if down} == {"65481"}, "F12 is any key here, F8 is withheld"
    sender.send("f9", True)
    sender.send("f9", False)
    assert wait_for(lambda: (step := env.step(W))[3] and step[4])["truncated_because"] == "panic-key"
    assert (str(XK_F9), True) not in probe.keys
    sender.send("f9", True)
    sender.send("f9", False)
    wait_for(lambda: (str(XK_F9), False) in probe.keys)


def test_a_key_that_another_program_has_grabbed_is_heard_all_the_same(
    probe: Probe, make_env: Make, sender: KeySender
) -> None:
    from Xlib import X, display  # noqa: PLC0415

    other = display.Display()
    other.screen().root.grab_key(96, X.AnyModifier, False, X.GrabModeAsync, X.GrabModeAsync)  # F12
    other.sync()
    env = make_env()
    env.reset()
    sender.send("f12", True)
    sender.send("f12", False)
    assert wait_for(lambda: (step := env.step(W))[3] and step[4])["truncated_because"] == "panic-key"
    other.close()


def test_a_short_tap_between_two_frames(probe: Probe, make_env: Make, sender: KeySender) -> None:
    env = make_env(control="human")
    env.reset()
    env.step(0)
    sender.send("space", True)
    time.sleep(0.03)
    sender.send("space", False)
    events = [event for _ in range(4) for event in env.step(0)[4]["key_events"]]
    assert [(word, down) for _, word, down in events] == [("space", True), ("space", False)]
    assert 0.01 < (events[1][0] - events[0][0]) / 1e9 < 0.3


@pytest.mark.slow
def test_auto_repeat_is_one_press(probe: Probe, make_env: Make, sender: KeySender) -> None:
    env = make_env(control="human")
    env.reset()
    sender.send("w", True)
    events = [event for _ in range(15) for event in env.step(0)[4]["key_events"]]
    sender.send("w", False)
    events += [event for _ in range(3) for event in env.step(0)[4]["key_events"]]
    assert probe.keys.count(("w", True)) > 2, "the X server did repeat"
    assert [(word, down) for _, word, down in events] == [("w", True), ("w", False)]


@pytest.mark.slow
def test_shift_let_go_before_w(probe: Probe, make_env: Make, sender: KeySender) -> None:
    env = make_env(control="human")
    env.reset()
    events = []
    for key, down in (("shift", True), ("w", True), ("shift", False), ("w", False)):
        sender.send(key, down)
        events += env.step(0)[4]["key_events"]
    info = env.step(0)[4]
    events += info["key_events"]
    assert [(word, down) for _, word, down in events] == [("w", True), ("w", False)]
    assert info["held"] == ()


@pytest.mark.slow
def test_num_lock_is_on(probe: Probe, make_env: Make) -> None:
    from Xlib import XK, X, display  # noqa: PLC0415

    connection = display.Display()
    code = connection.keysym_to_keycode(XK.string_to_keysym("Num_Lock"))

    def toggle() -> None:
        connection.xtest_fake_input(X.KeyPress, code)
        connection.xtest_fake_input(X.KeyRelease, code)
        connection.sync()

    toggle()
    try:
        env = make_env()
        env.reset()
        for word in ("w", "up", "enter"):
            assert env.step(action_index(word))[4]["held"] == (word,)
        env.step(0)
    finally:
        toggle()
        connection.close()
    pressed = [key for key, down in probe.keys if down and key != str(XK.XK_Num_Lock)]
    assert pressed[-3:] == ["w", "Up", "Return"]


@pytest.mark.slow
def test_the_person_presses_while_the_policy_plays(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xephyr is an X server in a window: keys of its window are a real keyboard's to those inside."""
    outside = open_sender()
    with x_server("Xephyr", "-screen", "800x600", DISPLAY=display) as inner:
        from Xlib import X  # noqa: PLC0415
        from Xlib import display as xdisplay  # noqa: PLC0415

        outer = xdisplay.Display(display)
        frame = wait_for(lambda: outer.screen().root.query_tree().children)[-1]
        wait_for(lambda: frame.get_attributes().map_state == X.IsViewable)
        outer.set_input_focus(frame, X.RevertToNone, X.CurrentTime)
        outer.sync()
        monkeypatch.setenv("DISPLAY", inner)
        probe = Probe("Probe")
        probe.focus()
        env = LiveEnv(window="^Probe$")
        try:
            env.reset()
            info = [env.step(W)[4] for _ in range(3)][-1]
            assert (info["control"], info["held"]) == ("agent", ("w",)), "its own keys are not a person's"
            outside.send("a", True)
            info = wait_for(lambda: (found := env.step(W)[4])["control"] == "human" and found)
            assert info["interrupted"]
            assert info["held"] == ("a",)
            assert probe.down == ["a"]
            outside.send("a", False)
            infos = [env.step(W)[4] for _ in range(3)]
            assert infos[-1]["held"] == ()
            assert probe.down == []
            outside.send("f11", True)
            outside.send("f11", False)
            info = wait_for(lambda: (found := env.step(W)[4])["held"] == ("w",) and found)
            assert info["control"] == "agent"
        finally:
            env.close()
            probe.close()
            outer.close()
            outside.close()
        assert keys_down(inner) == []


# The desktop


def test_there_is_no_display(probe: Probe, make_env: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    env = make_env()
    monkeypatch.setenv("DISPLAY", "")
    with pytest.raises(DisplayError, match="DISPLAY is not set"):
        env.reset()
    monkeypatch.setenv("DISPLAY", ":4711")
    with pytest.raises(DisplayError, match="cannot be opened"):
        env.reset()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(DisplayError, match=r"Wayland.*X11"):
        env.reset()


def test_the_x_server_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with x_server("Xvfb", "-screen", "0", "800x600x24") as name:
        monkeypatch.setenv("DISPLAY", name)
        probe = Probe("Probe")
        probe.focus()
        env = LiveEnv(window="^Probe$", notify=lambda text: None)
        env.reset()
        env.step(W)
    try:
        _, _, _, truncated, info = env.step(W)
        assert truncated
        assert info["truncated_because"] in ("listener-died", "screen-lost", "watchdog-ended")
    finally:
        env.close()
        probe.close()


@pytest.mark.slow
def test_its_connection_for_the_screen_dies(probe: Probe, make_env: Make) -> None:
    """Of the watchdog's connections to the X server, the only one that a client may ask to be ended."""
    from Xlib import display  # noqa: PLC0415
    from Xlib.ext import res  # noqa: PLC0415

    env = make_env(notify=lambda text: None)
    env.reset()
    env.step(W)
    wait_for(lambda: probe.down == ["w"])
    connection = display.Display()
    asked = [{"client": 0, "mask": res.LocalClientPIDMask}]
    clients = sorted(
        each.spec.client
        for each in connection.res_query_client_ids(asked).ids
        if each.value and each.value[0] == env.watchdog_pid
    )
    _, screen, *_ = clients  # in the order in which they were opened
    connection.create_resource_object("resource", screen).kill_client()
    connection.sync()
    connection.close()
    info = wait_for(lambda: (step := env.step(W))[3] and step[4])
    assert info["truncated_because"] in ("listener-died", "screen-lost", "watchdog-ended")
    wait_for(lambda: not probe.down)
    env.reset()


@pytest.mark.slow
def test_two_agents_on_one_window(probe: Probe, make_env: Make) -> None:
    first, second = make_env(), make_env()
    first.reset()
    with pytest.raises(WindowBusyError, match="another agent"):
        second.reset()
    first.close()
    second.reset()


def test_an_agents_keys_are_never_taken_for_a_persons(probe: Probe, make_env: Make) -> None:
    agent, watching, also = make_env(), make_env(control="human"), make_env(control="human")
    agent.reset()
    with pytest.raises(WindowBusyError, match=r"agent is playing.*gameenv-play --record"):
        watching.reset()
    agent.close()
    watching.reset()
    also.reset()
    with pytest.raises(WindowBusyError, match="person is being recorded"):
        agent.reset()
    watching.close()
    with pytest.raises(WindowBusyError, match="person is being recorded"):
        agent.reset()
    also.close()
    agent.reset()
    with pytest.raises(WindowBusyError, match="another agent"):
        make_env().reset()


def test_closing_twice_and_never_having_begun(make_env: Make) -> None:
    env = make_env()
    env.close()
    env.close()


def test_a_watchdog_that_does_not_start_is_an_error_and_not_a_wait(
    probe: Probe, make_env: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = make_env()
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(GameEnvError, match="did not start: exit code 1"):
        env.reset()


def rings() -> set[str]:
    """The names of shared frames that are there."""
    return {name for name in os.listdir("/dev/shm") if name.startswith("gameenv-ring-")}


@pytest.mark.parametrize("length", [120, 240])
def test_a_long_path_to_the_folder_of_temporary_files(
    probe: Probe, make_env: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """A socket's path has at most 107 bytes."""
    folder = tmp_path / ("x" * length)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    env = make_env()
    env.reset()
    env.step(W)
    wait_for(lambda: probe.down == ["w"])
    env.close()
    assert [path.suffix for path in folder.iterdir()] == [".lock"]


def test_what_cannot_be_begun_says_so_and_leaves_nothing(
    probe: Probe, make_env: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the things that a watchdog needs, missing in turn."""
    before = rings()
    env = make_env()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/not there")
        with pytest.raises(GameEnvError, match=r"watchdog process did not start: .*/not there"):
            env.reset()
    with monkeypatch.context() as broken:
        broken.setattr(tempfile, "tempdir", str(tmp_path / ("x" * 200)))
        broken.setattr(temporary, "_SHORT", ())
        with pytest.raises(GameEnvError, match=r"no folder for temporary files.*TMPDIR=/tmp"):
            env.reset()
    assert rings() <= before
    env.reset()
