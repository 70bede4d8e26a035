"""Frame and goal to model inputs: as the official processor makes them, guarded against drift by a hash."""

import copy
import hashlib
from typing import Any

import numpy as np
import pytest

from gameenv.actions import ActionChunk
from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec, fit_frame
from policies.vlm import tiny
from policies.vlm.inputs import InputMaker, ModelInputs, collate
from policies.vlm.tokens import END_OF_TURN

torch = pytest.importorskip("torch")
CHUNK = ActionChunk.of(["w", "w", "right", "none", "space", "enter", "c"])


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def digest(inputs: ModelInputs) -> str:
    sha = hashlib.sha256()
    for array in (inputs.ids, inputs.positions, np.round(inputs.pixels * 255).astype(np.int32), np.array(inputs.grid)):
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()[:16]


def test_the_prompt_reads_as_the_specification_says(maker: InputMaker) -> None:
    inputs = maker.make(picture(64, 96), "Go to the lantern", CHUNK)
    assert maker.tokenizer.decode(inputs.ids) == (
        "<|im_start|>user\n<|vision_start|>" + 6 * "<|image_pad|>" + "<|vision_end|>Goal: Go to the lantern\n\n"
        "Predict the next 7 actions:<|im_end|>\n<|im_start|>assistant\n"
        '{"actions": ["w", "w", "right", "none", "space", "enter", "c"]}<|im_end|>'
    )
    assert maker.tokenizer.convert_ids_to_tokens(inputs.ids[list(inputs.words)].tolist()) == list(CHUNK)
    assert inputs.ids[inputs.reply :].tolist() == [*maker.reply.ids(CHUNK), maker.reply.end]


@pytest.mark.parametrize("name", ["tokenizer", "qwen_tokenizer"])
def test_pieces_are_tokenized_as_the_whole_is(name: str, request: pytest.FixtureRequest) -> None:
    maker = InputMaker(request.getfixturevalue(name), tiny.build_image_processor())
    for goal in ("Go to the lantern", "x", "Öffne die Tür!", "  two  spaces ", "line\nbreak", '{"actions": ["w"]}'):
        inputs = maker.make(picture(32, 64), goal, CHUNK)
        whole = maker.text(goal, CHUNK).replace("<|image_pad|>", "<|image_pad|>" * 2)
        assert inputs.ids.tolist() == maker.tokenizer(whole, add_special_tokens=False)["input_ids"]
        assert maker.make(picture(32, 64), goal).ids.tolist() == inputs.ids[: inputs.reply].tolist()


def test_positions_are_the_models_own(maker: InputMaker) -> None:
    model = tiny.build_model(tiny.build_config(maker.tokenizer))
    batch = [
        maker.make(picture(64, 160), "Go to the lantern", CHUNK),
        maker.make(picture(96, 32), "x"),
        maker.make(picture(288, 512), "Climb the stairs"),
    ]
    arguments = collate(batch, maker.pad_id, maker.image_id)
    own, _ = model.model.get_rope_index(
        arguments["input_ids"],
        arguments["mm_token_type_ids"],
        arguments["image_grid_thw"],
        attention_mask=arguments["attention_mask"],
    )
    seen = arguments["attention_mask"].bool()
    for dimension in range(3):
        assert torch.equal(own[dimension][seen], arguments["position_ids"][dimension][seen])
    assert batch[0].next_position == int(batch[0].positions.max()) + 1


def test_pixels_are_the_frame_and_nothing_is_resampled(maker: InputMaker) -> None:
    frame = picture(288, 512)
    inputs = maker.make(frame, "x")
    assert inputs.grid == (1, 18, 32)
    assert (inputs.ids == maker.image_id).sum() == 144
    # Patches of 2x2 blocks of 16x16 pixels, the frame twice for the two steps in time.
    patches = inputs.pixels.reshape(9, 16, 2, 2, 3, 2, 16, 16)
    assert np.array_equal(patches[..., 0, :, :], patches[..., 1, :, :])
    back = patches[..., 0, :, :].transpose(0, 2, 5, 1, 3, 6, 4).reshape(288, 512, 3)
    assert np.allclose(back, frame / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (96, 128), (288, 512), (270, 480), (33, 64), (32, 6400)])
@pytest.mark.parametrize("mean", [(0.5, 0.5, 0.5), (0.48, 0.46, 0.41)])
def test_pixels_are_the_image_processors_own_to_the_bit(
    tokenizer: Any, size: tuple[int, int], mean: tuple[float, ...]
) -> None:
    processor = tiny.build_image_processor()
    processor.image_mean = mean
    frame = picture(*size)
    pixels, grid = InputMaker(tokenizer, processor).pixels(frame)
    own = processor(images=[frame], return_tensors="np", input_data_format="channels_last")
    assert np.array_equal(pixels, own["pixel_values"])
    assert pixels.dtype == own["pixel_values"].dtype
    assert grid == tuple(own["image_grid_thw"][0])


def test_frames_are_brought_to_what_the_model_learned_on(tokenizer: Any) -> None:
    spec = FrameSpec(128, 96)
    fitted = InputMaker(tokenizer, tiny.build_image_processor(), spec)
    frame = picture(288, 512)
    plain = InputMaker(tokenizer, tiny.build_image_processor())
    assert digest(fitted.make(frame, "x")) == digest(plain.make(fit_frame(frame, spec), "x"))


def test_a_hash_guards_against_drift(maker: InputMaker) -> None:
    ramp = np.arange(96 * 128 * 3, dtype=np.uint32).reshape(96, 128, 3)
    inputs = maker.make((ramp % 251).astype(np.uint8), "Go to the lantern", CHUNK)
    assert digest(inputs) == "895ce4f1709262db", "what is trained and played has changed: raise PROMPT_VERSION"


@pytest.mark.parametrize("goal", ["", "  ", None, 3, "\ud800", "go <|image_pad|>", f"x{END_OF_TURN}y"])
def test_goals_that_cannot_be_meant(maker: InputMaker, goal: Any) -> None:
    with pytest.raises(InvalidInputError, match="goal"):
        maker.make(picture(32, 32), goal)


@pytest.mark.parametrize(
    "frame", [None, picture(32, 32) / 255.0, picture(32, 32)[..., 0], picture(32, 32)[..., :2], picture(0, 32)]
)
def test_what_is_not_a_frame(maker: InputMaker, frame: Any) -> None:
    with pytest.raises(InvalidInputError, match="a frame is a uint8 array"):
        maker.make(frame, "x")


def test_a_frame_that_the_model_cannot_be_shown(maker: InputMaker) -> None:
    for height, width in ((1, 1000), (32, 32 * 201)):
        with pytest.raises(InvalidInputError, match=f"a frame of {width}x{height} cannot be shown"):
            maker.make(picture(height, width), "x")


def test_a_tokenizer_without_a_chat_template_is_refused(tokenizer: Any) -> None:
    class Plain:
        chat_template = None

    with pytest.raises(InvalidInputError, match="no chat template"):
        InputMaker(Plain(), tiny.build_image_processor())


THINKING = "<|im_start|>assistant\n<think>\n"


def thinking(tokenizer: Any, opened: str = THINKING) -> Any:
    """The tokenizer of a thinking model: its template opens the thought."""
    other = copy.deepcopy(tokenizer)
    other.chat_template = tokenizer.chat_template.replace("<|im_start|>assistant\n", opened)
    assert other.chat_template != tokenizer.chat_template
    return other


@pytest.mark.parametrize("opened", [THINKING, "<|im_start|>assistant\n<think>"])
def test_a_thought_that_the_template_opens_is_closed_before_the_reply(tokenizer: Any, opened: str) -> None:
    """The reply's first token would else stand inside the thought: a model that has never seen that says anything."""
    maker = InputMaker(thinking(tokenizer, opened), tiny.build_image_processor())
    assert maker.thinks
    text = maker.text("Go to the lantern", CHUNK)
    assert "<|im_start|>assistant\n<think>\n\n</think>\n\n{" in text
    inputs = maker.make(picture(64, 96), "Go to the lantern", CHUNK)
    assert inputs.ids[inputs.reply :].tolist() == [*maker.reply.ids(CHUNK), maker.reply.end]


def test_what_is_closed_already_and_what_a_goal_says_of_thoughts_stay(tokenizer: Any) -> None:
    closed = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert InputMaker(thinking(tokenizer, closed), tiny.build_image_processor()).text("x").endswith(closed)
    plain = InputMaker(tokenizer, tiny.build_image_processor())
    assert not plain.thinks
    assert plain.text("Say <think>").endswith("<|im_start|>assistant\n")


def test_equal_to_the_official_processor(tokenizer: Any) -> None:
    pytest.importorskip("torchvision", reason="the official processor needs torchvision")
    transformers: Any = pytest.importorskip("transformers")
    images: Any = pytest.importorskip("transformers.models.qwen2_vl.image_processing_qwen2_vl")
    ours = InputMaker(tokenizer, tiny.build_image_processor())
    settings = {name: getattr(ours.image_processor, name) for name in ("patch_size", "merge_size", "size")}
    official = transformers.Qwen3VLProcessor(
        images.Qwen2VLImageProcessor(**settings, image_mean=[0.5] * 3, image_std=[0.5] * 3),
        tokenizer,
        transformers.Qwen3VLVideoProcessor(),
        chat_template=tokenizer.chat_template,
    )
    for seed, (height, width) in enumerate([(288, 512), (96, 128), (64, 32)]):
        frame = picture(height, width, seed)
        text = ours.text("Go to the lantern", CHUNK)
        theirs = official(text=[text], images=[frame], return_tensors="np", input_data_format="channels_last")
        inputs = ours.make(frame, "Go to the lantern", CHUNK)
        assert theirs["input_ids"][0].tolist() == inputs.ids.tolist()
        assert np.allclose(theirs["pixel_values"], inputs.pixels, atol=1e-5)
        assert theirs["image_grid_thw"][0].tolist() == list(inputs.grid)
