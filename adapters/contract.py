"""What every door and the conversation agree on. A door sees this and the public face of `economy`, nothing else.

Inwards come `Invocation` (something said to the bot) and `Pressed` (a button); outwards goes a `Reply` of
platform-neutral nodes, already worded: numbers formatted, names made inert. A door renders every node, with its own
escaping, and pings nobody but `Reply.pings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from economy.service import Identity, Place, Role, Sighting

# --- inwards --------------------------------------------------------------------------------------------------------


class Mention(Struct, frozen=True):
    """A member named in a message, as the platform resolved them."""

    person: Sighting


class RoleMention(Struct, frozen=True):
    """A role named in a message: everyone known to hold it."""

    role: Role


class Group(Struct, frozen=True):
    """A role of the platform's own, named in a message. `holders` are all who hold it now; None where the platform
    does not tell."""

    native_id: str
    name: str
    holders: tuple[Sighting, ...] | None = None


class Channel(Struct, frozen=True):
    """A channel or topic of the place, named in a message."""

    native_id: str
    name: str


class Attachment(Struct, frozen=True):
    """A file sent with a message. Doors refuse more than `ATTACHMENT_BYTES_MAX` before reading it. `id_of` makes a
    native id of how a person is written in it, as the door does in messages."""

    name: str
    content: bytes
    id_of: Callable[[str], str] = str


ATTACHMENT_BYTES_MAX = 1_000_000


class Unseen(Struct, frozen=True):
    """Somebody named in a message whom the platform does not resolve, and who may come: `name` as it was written, `key`
    what the door will know them by when they do (see `Conversation.arrived`)."""

    name: str
    key: str


Word = str | Mention | RoleMention | Group | Channel | Attachment | Unseen


class Invocation(Struct, frozen=True, kw_only=True):
    """A command as somebody gave it.

    Text doors fill `words` (all that stood after the command's name, cut at ASCII white space, mentions resolved);
    doors with typed options fill `options` by the names of the `CommandSpec`, with several words where an option takes
    several. `act` names the human act and becomes the idempotency key: the same message delivered again has the same
    `act`. `private`: said to the bot alone. `replied_to`: whose message this one answers, where the platform says so.
    `locale` is the reader's, such as `en`. `standing` and `held` are what the platform itself says of the person at
    this moment: roles of ours, and the native ids of its own roles. `channel` is the native id of where in the place
    it was said, on platforms that divide theirs. `said_at`: when it was said, where the platform delivers late: orders
    that come too late are refused. `administers`: the platform says that they administer the place; what that makes
    them is the community's to set. `veiled`: public answers are not to name them. `place_name`: what the place is
    called, empty where the door does not know.
    """

    act: str
    person: Sighting
    place: Place
    command: str
    words: tuple[Word, ...] = ()
    options: Mapping[str, Word | tuple[Word, ...]] | None = None
    standing: frozenset[Role] = frozenset()
    held: frozenset[str] = frozenset()
    channel: str | None = None
    private: bool = False
    replied_to: Sighting | None = None
    locale: str = "en"
    said_at: datetime | None = None
    administers: bool = False
    veiled: bool = False
    place_name: str = ""


class Pressed(Struct, frozen=True, kw_only=True):
    """A press of a button of an earlier reply: `data` is what `Button.data` held."""

    act: str
    person: Sighting
    place: Place
    data: str
    standing: frozenset[Role] = frozenset()
    held: frozenset[str] = frozenset()
    channel: str | None = None
    private: bool = False
    locale: str = "en"
    administers: bool = False


# --- commands -------------------------------------------------------------------------------------------------------


class Visibility(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"


class OptionKind(StrEnum):
    """What an option takes; doors with typed options map each to their own."""

    MEMBER = "member"
    RECEIVERS = "receivers"  # one or more members, or a role
    TARGETS = "targets"  # one member, a role or a file of rows
    AMOUNT = "amount"  # 50, 1,000, 2.5k, all, half
    COINS = "coins"  # a plain amount, 0 allowed where the command says so
    COUNT = "count"  # x3
    GIFT = "gift"
    CHOICE = "choice"
    RECEIPT = "receipt"
    PAGE = "page"
    SETTING = "setting"
    TIME = "time"
    GROUP = "group"  # a role of the platform's own
    CHANNEL = "channel"
    WORD = "word"
    TEXT = "text"  # takes all that is left


class Option(Struct, frozen=True, kw_only=True):
    """`longest` bounds a text's characters, `least` and `most` a number, where there is a bound."""

    name: str
    kind: OptionKind
    required: bool
    help: str = ""
    choices: tuple[str, ...] = ()
    longest: int | None = None
    least: int | None = None
    most: int | None = None


class CommandSpec(Struct, frozen=True, kw_only=True):
    """A command, read off its function: doors make their menus, parsers and completions from it.

    `name` may hold one space: a group and its command (`coins add`). `right` is what it needs beyond being a member
    (an `economy` right's name; it decides what help and menus show, the rule decides who may). `feature` names what
    an owner can turn off.
    """

    name: str
    topic: str
    help: str
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PRIVATE
    right: str | None = None
    feature: str | None = None
    examples: tuple[str, ...] = ()
    in_menu: bool = False


# --- outwards -------------------------------------------------------------------------------------------------------


class Plain(Struct, frozen=True):
    """Words, ready to be escaped by the door."""

    text: str


class Strong(Struct, frozen=True):
    """Words that stand out, where the platform can."""

    text: str


class Name(Struct, frozen=True):
    """A member's name, made inert; a door may link it to `identity` where that pings nobody."""

    text: str
    identity: Identity | None = None


Span = Plain | Strong | Name


class Line(Struct, frozen=True):
    """One paragraph of one line."""

    spans: tuple[Span, ...]


class Table(Struct, frozen=True):
    """Rows of cells under a heading each; `right_aligned` are the columns of numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right_aligned: tuple[int, ...] = ()


class Listing(Struct, frozen=True):
    """Lines that belong together, one item each."""

    items: tuple[Line, ...]


class File(Struct, frozen=True):
    name: str
    content: bytes
    media_type: str = "text/csv"


class Picture(Struct, frozen=True):
    """PNG bytes and the words that replace them."""

    png: bytes
    words: str


Node = Line | Table | Listing | File | Picture


class Button(Struct, frozen=True, kw_only=True):
    """`data` goes back in `Pressed.data`, at most 64 bytes: an offer's nonce behind `o:`, a query's command line behind
    `q:`, a line to be given anew by each press behind `a:`, thanks for a receipt behind `t:`; `m:coins` shows one's
    own. `presser` is the only one it is shown to or obeys, where set."""

    label: str
    data: str
    presser: Identity | None = None


BUTTON_DATA_BYTES_MAX = 64

FieldValue = str | int | bool | None | list["FieldValue"] | dict[str, "FieldValue"]


class Strand(Struct, frozen=True):
    """What is told in one message that is kept up to date: everyone sees the latest, instead of all that led to it.

    `key` names it within its place; it is the receipt that it began with. Of two replies of one strand the one with the
    higher `step` is later, and says all that the earlier one said. `begins`: this is the first.
    """

    key: str
    step: int
    begins: bool


class Reply(Struct, frozen=True, kw_only=True):
    """What the bot answers: nodes for people; the rest for scripts, logs and doors.

    `outcome` is a plain name (`tip`, `confirm`, `refused`); `code` is the refusal's. `replaces` is the receipt whose
    public message this one takes the place of, on platforms that can edit. `pings` are the people addressed.
    `repeated`: an earlier answer given again, which everyone may have seen already. `community`: whose receipts these
    are, by a number. `strand`: what it belongs to, for a public reply of which everyone is to see only the latest;
    where that has no message any more, it gets a new one.
    """

    command: str | None
    outcome: str
    visibility: Visibility
    nodes: tuple[Node, ...]
    code: str | None = None
    receipt: str | None = None
    fields: dict[str, FieldValue] = {}
    buttons: tuple[Button, ...] = ()
    pings: tuple[Identity, ...] = ()
    replaces: str | None = None
    repeated: bool = False
    community: int = 0
    strand: Strand | None = None

    @property
    def mark(self) -> str | None:
        """The receipt as doors keep in mind where it was told: a place may meet in another community later, where the
        same number is another receipt."""
        return None if self.receipt is None else f"{self.community}:{self.receipt}"

    @property
    def replaced_mark(self) -> str | None:
        """What it takes the place of, as doors keep that in mind."""
        return None if self.replaces is None else f"{self.community}:{self.replaces}"


class Suggestion(Struct, frozen=True):
    """What an option could be: `value` as the command takes it, `label` as a person reads it in a list."""

    value: str
    label: str


class Hint(StrEnum):
    """What a door itself has to tell. The conversation words it; what stands in braces are values it is given."""

    # about where and how something was said
    ONLY_IN_PLACES = "only_in_places"  # said where no community is
    NOT_INSTALLED = "not_installed"  # said in a place that the bot is not in
    NOT_FOR_OTHERS = "not_for_others"  # sent by another program, or as a channel
    CHANNEL = "channel"  # a command in a channel's name
    NOT_TYPED = "not_typed"  # a command that was forwarded or sent by way of another bot
    NO_COMMAND = "no_command"  # said to the bot alone, and no command
    FILE_TOO_LARGE = "file_too_large"
    FILE_UNREADABLE = "file_unreadable"
    # about who said it
    NO_PLACE = "no_place"  # somebody speaks to the bot alone and is known from nowhere
    ANONYMOUS = "anonymous"  # a command by an administrator whom the platform hides
    NOT_HIDDEN = "not_hidden"  # whoever pressed is not whom the platform hid
    HIDDEN_AUTHOR = "hidden_author"  # whoever wrote what this answers is hidden
    NOT_YOURS = "not_yours"  # a press of a button that is another's
    STANDING_UNKNOWN = "standing_unknown"  # the platform does not say who administers the place
    # about where the answer is
    ANSWERED = "answered"  # in the place, while the answer is private; {name}
    ANSWER_WAITS = "answer_waits"  # the same, where the bot may not write to them first; {name}
    NO_PRIVATE_MESSAGE = "no_private_message"  # the answer is private, and they take no messages
    CANNOT_POST = "cannot_post"  # a channel that an owner chose does not take our messages; {channel}, {needed}
    # greetings
    WELCOME = "welcome"  # somebody opens a chat with the bot; {place}
    ADDED = "added"  # the bot is in a place, and sees what it needs
    ADDED_BLIND = "added_blind"  # the bot is in a place, and sees only what is addressed to it; {bot}
    SEES = "sees"  # the place let the bot see more
    TAKE_UP = "take_up"  # under what waits for somebody: a link by which they come
    INLINE = "inline"  # above what is offered while somebody types


def translatable(text: str) -> str:
    """Marks a text of a door's own for those who translate. The conversation has it in other languages."""
    return text


# --- the two sides --------------------------------------------------------------------------------------------------


class Conversation(Protocol):
    """What the bot offers to doors."""

    async def say(self, invocation: Invocation) -> Reply:
        """Answers a command. Never raises for anything a person can type."""
        ...

    async def press(self, pressed: Pressed) -> Reply:
        """Answers a press; data that is malformed or from an older release answers `expired`."""
        ...

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        """Somebody spoke without addressing the bot: they are in the place."""
        ...

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None:
        """Somebody joined the place. None once that is noted, else why it is not; so with the next two."""
        ...

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None: ...

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None:
        """Somebody whom others may have named by these keys (`Unseen`) is in the place: what waits for them is theirs.
        None where nothing does."""
        ...

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        """Whether anything may wait for them, anywhere."""
        ...

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None:
        """Somebody put an emoji under a message of `author`'s; `act` names the message, the person and the emoji, so
        that it counts once for ever. None where there is nothing to tell."""
        ...

    async def uses_reactions(self, place: Place) -> bool:
        """Whether reactions do anything in a place."""
        ...

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None:
        """The platform itself gives a role to somebody, with the standing that it vouches for."""
        ...

    async def complete(self, invocation: Invocation) -> list[str]:
        """What the last word of an unfinished command could become, best first, at most 25."""
        ...

    async def suggest(self, invocation: Invocation, option: str) -> list[Suggestion]:
        """What an option of a typed command could be, given what `invocation.options` holds of it so far; best first,
        at most 25."""
        ...

    def specs(self) -> tuple[CommandSpec, ...]:
        """Every command there is."""
        ...

    def hint(self, hint: Hint, locale: str, **values: str) -> Reply:
        """What a door tells on its own behalf, in words; `values` fill what stands in braces."""
        ...

    def languages(self) -> tuple[str, ...]:
        """The tags of every language there is beside English, such as `pt` or `pt_BR`."""
        ...

    def translated(self, text: str) -> Mapping[str, str]:
        """A text of a spec, or of a door's own that is `translatable`, in every other language there is, by its tag."""
        ...

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        """What a command does, in the reader's language."""
        ...

    async def homes(self, person: Identity) -> list[Place]:
        """Where somebody who speaks to the bot alone may mean: the places of their platform that they are known in,
        the one they were last seen in first."""
        ...

    async def moved(self, old: Place, new: Place) -> bool:
        """The platform gave a place a new id. Whether it meets under the new one now."""
        ...


class Delivery(StrEnum):
    """What became of a message that nobody asked for."""

    TOLD = "told"
    LATER = "later"  # the platform cannot take it now
    REFUSED = "refused"  # it cannot be told there until somebody changes something


class Told(Struct, frozen=True):
    """`needed` says what is missing where it was refused, in the platform's own words or in `translatable` ones."""

    delivery: Delivery
    needed: str = ""


class Memory(Protocol):
    """What a door has to remember longer than one process lives, and share with others: where a message is, whose
    name is whose. None of it is money, all of it may be lost.

    `kind` and `key` name one thing; what is kept `keep` long is gone after that.
    """

    async def get(self, kind: str, key: str) -> str | None: ...

    async def put(self, kind: str, key: str, value: str, *, keep: timedelta) -> None: ...

    async def swap(self, kind: str, key: str, before: str | None, after: str, *, keep: timedelta) -> bool:
        """Puts `after` if what is there is `before` (None: nothing). Whether it did."""
        ...

    async def drop(self, kind: str, key: str) -> None: ...


class Bots(Protocol):
    """Which bot of the door's platform the store is for. Another one's token would move coins that are not its: a
    staging bot's at a store in use."""

    async def claim(self, bot: str) -> str:
        """The platform's id of the bot that the store is for: `bot`, where it was for none so far."""
        ...


def must_be_ours(platform: str, bot: str, known: str) -> None:
    """Raises DoorError where the store is for another bot than the one that the token is of."""
    if known != bot:
        raise DoorError(
            f"This store is for the bot {known} on {platform}, and the token is that of {bot}: nothing was done. Set"
            " the right token or the right store; where the bot was changed for good, say"
            f" `florin bots forget {platform}`."
        )


class DoorError(Exception):
    """A door cannot serve. Says why, in one sentence for the operator."""


class Adapter(Protocol):
    """A door. `bot.serving` opens it with a conversation and closes it on shutdown."""

    platform: str

    async def run(self) -> None:
        """Serves until closed. Raises DoorError where it cannot."""
        ...

    async def close(self) -> None: ...

    async def tell(self, place: Place, channel: str, reply: Reply, *, nonce: str) -> Told:
        """Tells something unasked in a channel of a place; the same nonce again is seen once. Never raises."""
        ...

    async def warn(self, place: Place, reply: Reply) -> None:
        """Tells whoever owns a place something directly; never raises."""
        ...
