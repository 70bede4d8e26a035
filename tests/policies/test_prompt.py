import json

import pytest

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply
from policies import prompt

CHUNK = ActionChunk.of(["w", "right", "w", "w", "none", "none", "none"])
SPECIFICATION = {
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image", "image": "frame_0000.jpg"},
                {"type": "text", "text": "Goal: Go to the lantern\n\nPredict the next 7 actions:"},
            ],
        },
        {
            "role": "assistant",
            "content": '{"actions": ["w", "right", "w", "w", "none", "none", "none"]}',
        },
    ]
}


def test_a_sample_is_the_specification_s_example_to_the_letter():
    assert prompt.sample_messages("frame_0000.jpg", "Go to the lantern", CHUNK) == SPECIFICATION
    assert json.dumps(prompt.sample_messages("frame_0000.jpg", "Go to the lantern", CHUNK)) == json.dumps(SPECIFICATION)


def test_a_sample_reads_back():
    message = json.loads(json.dumps(prompt.sample_messages("frame_0000.jpg", "Go to the lantern", CHUNK)))
    image, text, reply = prompt.read_sample(message)
    assert (image, text) == ("frame_0000.jpg", prompt.user_text("Go to the lantern"))
    assert prompt.parse_reply(reply) == CHUNK


@pytest.mark.parametrize("bad", [None, [], {}, {"messages": []}, {"messages": SPECIFICATION["messages"][:1]}])
def test_what_is_not_a_sample_is_refused(bad: object):
    with pytest.raises(InvalidInputError, match="a sample is"):
        prompt.read_sample(bad)


@pytest.mark.parametrize("word", ACTIONS)
def test_every_word_survives_a_reply(word: str):
    chunk = ActionChunk.of([word] * 7)
    assert prompt.parse_reply(prompt.reply_text(chunk)) == chunk


@pytest.mark.parametrize(
    "text",
    ['\n {"actions": ["w","w","w","w","w","w","w"]} \n', '{ "actions" : [\n"w", "w", "w", "w", "w", "w", "w" ] }'],
)
def test_white_space_does_not_matter(text: str):
    assert prompt.parse_reply(text) == ActionChunk.of(["w"] * 7)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not one JSON object"),
        ("w w w w w w w", "not one JSON object"),
        ('{"actions": ["w", "w"', "not one JSON object"),
        ('```json\n{"actions": ["w","w","w","w","w","w","w"]}\n```', "not one JSON object"),
        ('{"actions": ["w","w","w","w","w","w","w"]} I am done', "not one JSON object"),
        ('{"actions": ["w","w","w","w","w","w","w"]}{"actions": []}', "not one JSON object"),
        ('["w","w","w","w","w","w","w"]', "must be an object"),
        ("[]", "must be an object"),
        ("7", "must be an object"),
        ("{}", "once and no other"),
        ('{"actions": ["w","w","w","w","w","w","w"], "why": "x"}', "once and no other"),
        ('{"actions": ["w","w","w","w","w","w","w"], "actions": []}', "once and no other"),
        ('{"Actions": ["w","w","w","w","w","w","w"]}', "once and no other"),
        ('{"actions": "wwwwwww"}', "must be a list"),
        ('{"actions": {"w": 1}}', "must be a list"),
        ('{"actions": {}}', "must be a list"),
        ('{"actions": null}', "must be a list"),
        ('{"actions": []}', "exactly 7 words, got 0"),
        ('{"actions": ["w","w","w","w","w","w"]}', "exactly 7 words, got 6"),
        ('{"actions": ["w","w","w","w","w","w","w","w"]}', "exactly 7 words, got 8"),
        ('{"actions": ["w","w","w","w","w","w","rigth"]}', "Did you mean 'right'"),
        ('{"actions": ["W","w","w","w","w","w","w"]}', "unknown action 'W'"),
        ('{"actions": [" w","w","w","w","w","w","w"]}', "unknown action ' w'"),
        ('{"actions": [1,"w","w","w","w","w","w"]}', "unknown action 1"),
        ('{"actions": [["w"],"w","w","w","w","w","w"]}', "unknown action"),
        ('{"actions": [null,"w","w","w","w","w","w"]}', "unknown action None"),
        ("[" * 100_000, "not one JSON object"),
    ],
)
def test_a_bad_reply_says_what_is_wrong(text: str, why: str):
    with pytest.raises(InvalidReply, match=why) as caught:
        prompt.parse_reply(text)
    assert len(str(caught.value)) < 600
