"""The labelers ``server`` and ``vlm``: a model looks at each clip and names its goal.

Joins what is shown, asked, kept and read. Knows nothing of where the model runs.
"""

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from gameenv.errors import InvalidInputError, InvalidReply
from labeling.labeler import Clip, Label, Reason, SetAside
from labeling.naming.answer import read_answer
from labeling.naming.asking import Asker
from labeling.naming.held_keys import is_idle
from labeling.naming.options import NamingOptions
from labeling.naming.question import QUESTION_VERSION, ask_about
from labeling.naming.replies import Replies, Said, key_of
from policies.server.client import Question
from recording.session import Session


class Namer:
    """Names goals by a model.

    A clip in which no key is pressed is set aside without asking. A question that was answered before is not asked
    again.

    Args:
        name: ``server`` or ``vlm``.
        asker: Who answers.
        replies: What was answered before; grows.
        options: What is shown and asked.
        goals: The goals there are; free wording without any.
        attempt: From 0; each asks everything anew.
        contexts: What is known of the clips before and after a clip, by its session and number, as a sentence.
    """

    def __init__(
        self,
        name: str,
        asker: Asker,
        replies: Replies,
        options: NamingOptions,
        *,
        goals: Sequence[str] = (),
        attempt: int = 0,
        contexts: Mapping[tuple[str, int], str] | None = None,
    ) -> None:
        self.name = name
        self.asker = asker
        self.replies = replies
        self.options = options
        self.goals = tuple(goals)
        self._attempt = attempt
        self._contexts = contexts or {}

    @property
    def version(self) -> str:
        """The model, and a hash of how it is asked."""
        return self._version

    @cached_property
    def _version(self) -> str:
        options = self.options
        asked = [options.look, options.tell_keys, options.language, options.temperature, options.max_tokens]
        content = json.dumps([QUESTION_VERSION, *asked, options.think, self.goals, self._attempt])
        again = "+context" if self._contexts else ""
        return f"{self.asker.model}/{hashlib.sha256(content.encode()).hexdigest()[:8]}{again}"

    def objection(self, session: Session) -> str | None:
        """None: a model looks at anything."""
        return None

    def again(self, attempt: int) -> "Namer":
        """The same model, asked once more."""
        return Namer(self.name, self.asker, self.replies, self.options, goals=self.goals, attempt=attempt)

    def in_context(self, contexts: Mapping[tuple[str, int], str]) -> "Namer":
        """The same model, told what the neighbours of clips were named."""
        return Namer(self.name, self.asker, self.replies, self.options, goals=self.goals, contexts=contexts)

    def label(self, clips: Sequence[Clip]) -> Iterator[Label | SetAside]:
        """Yield an answer for each clip, in order.

        Raises:
            GameEnvError: If the model cannot be asked at all.
        """
        known: deque[tuple[Clip, SetAside | Said | None]] = deque()

        def to_ask() -> Iterator[Question]:
            for clip in clips:
                looked = self.look(clip)
                said = looked if isinstance(looked, SetAside) else self.replies.get(self.key(looked))
                known.append((clip, said))
                if said is None and not isinstance(looked, SetAside):
                    yield looked

        for said in self.asker.ask(to_ask(), self._keep):
            yield from self._flush(known)
            clip, _ = known.popleft()
            yield self.read(clip, said)
        yield from self._flush(known)

    def look(self, clip: Clip) -> Question | SetAside:
        """The question for a clip, or why it is not asked about."""
        if is_idle(clip):
            return self._aside("idle", "no key was pressed")
        context = self._contexts.get((clip.segment.session_id, clip.segment.number))
        seed = self._attempt if self._attempt or self.options.temperature > 0 else None
        try:
            return ask_about(clip, self.options, self.goals, context=context, seed=seed)
        except InvalidInputError as error:
            return self._aside("no-picture", str(error))

    def key(self, question: Question) -> str:
        """The question's name among the replies."""
        return key_of(question, self.asker.model, self.options.max_tokens, self.options.think)

    def read(self, clip: Clip, said: Said) -> Label | SetAside:
        """What a reply says of a clip."""
        if said.failed:
            return self._aside("failed", str(said.error))
        if said.error is not None:
            return self._aside("invalid-reply", said.error)
        try:
            proposal = read_answer(said.text, self.goals)
        except InvalidReply as error:
            cut = f" (cut off after {self.options.max_tokens} tokens; raise --max-tokens)" if said.cut_off else ""
            return self._aside("invalid-reply", f"{error}{cut}")
        evidence = {"changes": proposal.changes, "seen": proposal.evidence}
        if proposal.goal is None:
            return SetAside("unclear", self.name, self.version, proposal.evidence or proposal.changes, None, evidence)
        return Label(
            goal=proposal.goal,
            labeler=self.name,
            version=self.version,
            confidence=proposal.confidence,
            completed=proposal.completed,
            evidence=evidence,
        )

    def close(self) -> None:
        """Let go of model and file. May be called twice."""
        self.asker.close()
        self.replies.close()

    def _flush(self, known: deque[tuple[Clip, SetAside | Said | None]]) -> Iterator[Label | SetAside]:
        """What needs no waiting, up to the first clip that does."""
        while known and known[0][1] is not None:
            clip, said = known.popleft()
            if isinstance(said, SetAside):
                yield said
            elif said is not None:
                yield self.read(clip, said)

    def _keep(self, question: Question, said: Said) -> None:
        self.replies.put(self.key(question), self.asker.model, said)

    def _aside(self, reason: Reason, detail: str) -> SetAside:
        return SetAside(reason, self.name, self.version, detail)
