"""Chooses the labeler of a session by name, or by what the session carries.

The only place that knows which labelers there are; heavy ones are imported when they are chosen.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.factories import is_factory, load_object
from labeling.book import LABELS_DIR, Remembering
from labeling.labeler import Labeler
from labeling.naming.options import DEFAULT_NAMING, NamingOptions
from labeling.persons import objection_to_rest
from labeling.recorded import Recorded
from labeling.referee import Referee
from recording.session import Session

if TYPE_CHECKING:
    from labeling.naming.namer import Namer

AUTO = "auto"
SERVER, VLM = "server", "vlm"
MODELS = (SERVER, VLM)
"""Labelers that ask a model."""
_MAKERS: dict[str, Callable[[], Labeler]] = {"referee": Referee, "recorded": Recorded}
CARRIED = tuple(_MAKERS)
"""Labelers that read what the recording itself says, in the order in which ``auto`` tries them."""
LABELERS = (*CARRIED, *MODELS)
CHOICES = (AUTO, *LABELERS, "<package.module:factory>")


def load_labeler(spec: str, options: NamingOptions = DEFAULT_NAMING, root: str | Path = ".") -> Labeler:
    """Make the labeler that ``spec`` describes.

    Args:
        spec: One of ``LABELERS``, or ``package.module:factory`` (anything importable, the current directory included: a
            function or class that takes no arguments, or a labeler).
        options: How ``server`` and ``vlm`` ask their model.
        root: The folder of labeled segments; what a model replied is kept there.

    Raises:
        UnknownNameError: If it is none of these; says what it may have meant.
        InvalidInputError: If the module cannot be used, or gives no labeler; or if a model was not named.
    """
    check_spec(spec)
    if spec in _MAKERS:
        return _MAKERS[spec]()
    if spec in MODELS:
        return load_namer(spec, options, Path(root))
    return load_object(
        spec, Labeler, "labeler", "name, version, objection(session) and label(clips); see labeling/labeler.py"
    )


def load_namer(name: str, options: NamingOptions, root: Path) -> "Namer":
    """Make ``server`` or ``vlm``.

    Raises:
        InvalidInputError: If no model was named, or one of the other kind; or the list of goals cannot be read.
    """
    from labeling.naming.asking import ServerAsker  # noqa: PLC0415 (its HTTP library loads where it is used)
    from labeling.naming.here import ModelHere  # noqa: PLC0415
    from labeling.naming.namer import Namer  # noqa: PLC0415
    from labeling.naming.question import read_goals  # noqa: PLC0415
    from labeling.naming.replies import REPLIES_FILE, Replies  # noqa: PLC0415

    if not options.model:
        such = "http://localhost:8000/v1" if name == SERVER else "Qwen/Qwen3-VL-8B-Instruct"
        raise InvalidInputError(f"the labeler {name!r} needs a model: --model {such}")
    if name == VLM and "://" in options.model:
        raise InvalidInputError(f"{options.model} is a server's address: --labeler server asks it")
    goals = read_goals(options.goals_list) if options.goals_list else ()
    asker = (ServerAsker if name == SERVER else ModelHere)(options.model, options)
    return Namer(name, asker, Replies(root / LABELS_DIR / REPLIES_FILE), options, goals=goals)


def check_spec(spec: str) -> None:
    """Check a labeler's name without making one.

    Raises:
        UnknownNameError: If it is neither the name of a labeler nor of a factory.
    """
    if spec not in (AUTO, *LABELERS) and not is_factory(spec):
        raise UnknownNameError("labeler", spec, CHOICES)


def choose_labeler(spec: str, session: Session) -> Labeler:
    """Return the labeler that ``spec`` describes; ``auto`` is the first that has what it needs in the session.

    Raises:
        UnknownNameError: If there is no such labeler.
        InvalidInputError: If ``auto`` finds none that can label this session, or a factory gives no labeler.
    """
    with Chooser(spec) as chooser:
        return chooser.choose(session)


class Chooser:
    """Gives each session its labeler; a model, and what a labeler remembers, is loaded once for all of them.

    Args:
        spec: ``auto``, or what ``load_labeler`` takes.
        options: How ``server`` and ``vlm`` ask their model. ``auto`` falls back on the model named here.
        root: The folder of labeled segments; labelers remember there what they said. None: they do not.

    Raises:
        UnknownNameError: If there is no such labeler.
    """

    def __init__(self, spec: str, options: NamingOptions = DEFAULT_NAMING, root: Path | None = None) -> None:
        check_spec(spec)
        self._spec = spec
        self._options = options
        self._root = root
        self._own: Labeler | None = None
        self._remembering: dict[tuple[str, str], Remembering] = {}
        self.namer: Namer | None = None

    def choose(self, session: Session) -> Labeler:
        """Return the session's labeler.

        Raises:
            InvalidInputError: If ``auto`` finds none, or it cannot be made.
        """
        if self._spec != AUTO:
            return self.named(self._spec)
        objections = []
        for make in _MAKERS.values():
            labeler = make()
            objection = objection_to_rest(labeler, session)
            if objection is None:
                return labeler
            objections.append(f"{labeler.name}: {objection}")
        if self._options.model:
            return self.named(SERVER if "://" in self._options.model else VLM)
        raise InvalidInputError(
            f"no labeler can label the session {session.info.session_id} ({'; '.join(objections)}). "
            'Say the goal afterwards, gameenv-sessions goal SESSION "Climb the stairs", or now: gameenv-label --goal; '
            "or name a model that looks: gameenv-label --model http://localhost:8000/v1"
        )

    def remember(self, labeler: Labeler) -> Remembering:
        """The labeler, answering from its file what it was asked before."""
        key = labeler.name, labeler.version
        if key not in self._remembering:
            self._remembering[key] = Remembering(labeler, self._root or Path())
        return self._remembering[key]

    @property
    def unreadable(self) -> dict[Path, int]:
        """Lines that cannot be read, by the file that they are in."""
        found = {each.path: each.unreadable for each in self._remembering.values() if each.unreadable}
        if self.namer is not None and self.namer.replies.unreadable:
            found[self.namer.replies.path] = self.namer.replies.unreadable
        return found

    def close(self) -> None:
        """Let go of a model. May be called twice."""
        if self.namer is not None:
            self.namer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def named(self, spec: str) -> Labeler:
        """The labeler of this name, whatever a session carries.

        Raises:
            InvalidInputError: If it cannot be made.
        """
        if spec in CARRIED:
            return _MAKERS[spec]()
        if spec in MODELS:
            self.namer = self.namer or load_namer(spec, self._options, self._root or Path())
            return self.namer
        self._own = self._own or load_labeler(spec)
        return self._own
