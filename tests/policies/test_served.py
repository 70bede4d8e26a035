"""A real server from a package: ``transformers serve`` with a tiny model that has learned four replies.

It needs torchvision, and so an environment of its own; docs/vlm.md has the commands. Run: pytest -m served
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from gameenv.actions import ActionChunk  # noqa: E402
from policies import Observation, load_policy  # noqa: E402
from policies.options import ServerOptions  # noqa: E402
from policies.server import ServerPolicy  # noqa: E402
from policies.vlm import tiny  # noqa: E402
from policies.vlm.inputs import InputMaker, collate  # noqa: E402
from tests.gameenv.live.display import wait_for  # noqa: E402

pytestmark = pytest.mark.served
PROGRAM = "GAMEENV_TRANSFORMERS"
PORT = 8917
COLOURS = {
    (200, 40, 40): ActionChunk.of(["w", "w", "w", "a", "a", "none", "none"]),
    (40, 200, 40): ActionChunk.of(["right", "right", "up", "space", "w", "w", "w"]),
    (40, 40, 200): ActionChunk.of(["none"] * 7),
    (220, 220, 220): ActionChunk.of(["enter", "c", "c", "d", "down", "left", "s"]),
}
GOAL = "Go to the lantern"


def frame_of(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((96, 128, 3), colour, np.uint8)


def teach(folder: Path) -> None:
    """Four plain pictures and their replies, by heart."""
    tokenizer = tiny.build_tokenizer()
    maker = InputMaker(tokenizer, tiny.build_image_processor())
    model = tiny.build_model(tiny.build_config(tokenizer)).train()
    batch = [maker.make(frame_of(colour), GOAL, chunk) for colour, chunk in COLOURS.items()]
    arguments = collate(batch, maker.pad_id, maker.image_id)
    labels = arguments["input_ids"].clone()
    labels[:, : batch[0].reply] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(300):
        loss = model(**arguments, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 0.003:
            break
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    maker.image_processor.save_pretrained(folder)
    processor = '{"processor_class": "Qwen3VLProcessor", "image_processor_type": "Qwen2VLImageProcessor"}'
    (folder / "processor_config.json").write_text(processor)


def test_a_served_model_says_what_it_says_in_process(tmp_path: Path) -> None:
    program = os.environ.get(PROGRAM)
    assert program, f"set {PROGRAM} to the transformers program of an environment that has torchvision"
    folder = tmp_path / "tiny"
    teach(folder)
    command = [program, "serve", str(folder), "--port", str(PORT), "--device", "cpu"]
    with (tmp_path / "log.txt").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: server.poll() is not None or "startup complete" in (tmp_path / "log.txt").read_text(), 120)
        served = ServerPolicy(f"http://127.0.0.1:{PORT}/v1#{folder}", ServerOptions(timeout_s=60))
        local = load_policy(str(folder))
        for colour, chunk in COLOURS.items():
            for policy in (served, local):
                policy.reset(GOAL)
                assert policy.predict(Observation(frame_of(colour), GOAL)) == chunk, type(policy).__name__
    finally:
        server.terminate()
        server.wait(20)
        print((tmp_path / "log.txt").read_text()[-3000:])
