"""A sentence for every refusal: by its code and, where one code has several rules, by its rule.

Each says what was refused, the rule with its numbers, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from adapters.contract import Line, Plain
from bot.naming import inert, isolated
from bot.nearest import nearest
from bot.setting_texts import bounds
from bot.wording import Words
from economy.catalogue import DEFAULT_GIFTS
from economy.refusals import Code, Refusal
from economy.settings import SETTINGS, Feature
from economy.values import COINS_MAX, MemberId


class Told:
    """A refusal's fields with the types that wording wants, and the words to say them with."""

    def __init__(self, refusal: Refusal, words: Words) -> None:
        self.code = refusal.code
        self.rule = refusal.rule or ""
        self.line = words.line
        self.words = words
        self._fields = refusal.fields

    def number(self, name: str) -> int:
        value = self._fields.get(name)
        return value if type(value) is int else 0

    def coins(self, name: str) -> str:
        return self.words.coins(self.number(name))

    def typed(self, name: str) -> str:
        """Words that came from outside, made inert."""
        value = self._fields.get(name)
        return isolated(inert(value)) if isinstance(value, str) and value else "?"

    def said(self, name: str) -> str:
        """A text that an owner set, made plain when it was stored."""
        return self.words.said(self.own(name))

    def own(self, name: str) -> str:
        """Words of our own; empty where there are none."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def at(self, name: str) -> datetime | None:
        value = self._fields.get(name)
        return datetime.fromisoformat(value) if isinstance(value, str) else None

    def holds(self, name: str) -> bool:
        return self._fields.get(name) is True

    @property
    def member(self) -> Plain:
        """Whom it is about, without a link: nobody is told that they were spoken of."""
        found = self._fields.get("member_id")
        if type(found) is int:
            return Plain(self.words.name(MemberId(found)).text)
        return Plain(self.typed("name"))


def sentence(told: Told) -> Line:
    """What a refusal says; a rule that has no sentence of its own has its code's."""
    return (TEXTS.get((told.code, told.rule)) or TEXTS[told.code, ""])(told)


def roles_named(roles: str, words: Words) -> str:
    """Roles, comma separated, for a sentence: `owners, treasurers or moderators`."""
    called = {
        "operator": words.text("operators"),
        "owner": words.text("owners"),
        "treasurer": words.text("treasurers"),
        "moderator": words.text("moderators"),
        "auditor": words.text("auditors"),
        "creator": words.text("creators"),
    }
    names = [called[role] for role in roles.split(",") if role in called] or [words.text("staff")]
    if len(names) == 1:
        return names[0]
    return words.text("{first} or {last}", first=", ".join(names[:-1]), last=names[-1])


def _invalid_amount(told: Told) -> Line:
    return told.line(
        "An amount must be a whole number from 1 to {most}, such as 50, {thousand}, {short}k, all or half.",
        most=COINS_MAX,
        thousand=1_000,
        short=told.words.decimal("2.5"),
    )


def _chest_short(told: Told) -> Line:
    return told.line(
        "This takes {needed}, and the chest holds {available}. Gifts fill it.",
        needed=told.coins("needed"),
        available=told.coins("available"),
    )


def _unknown_gift(told: Told) -> Line:
    gift = told.typed("gift")
    if told.holds("retired"):
        return told.line("The gift {gift} is not given any more. /gifts shows what is.", gift=gift)
    if meant := nearest(told.own("gift"), [known.slug for known in DEFAULT_GIFTS]):
        return told.line(
            "There is no gift called {gift}. Did you mean {nearest}? /gifts shows them all.",
            gift=gift,
            nearest=meant[0],
        )
    return told.line("There is no gift called {gift}. /gifts shows them all.", gift=gift)


def _already_claimed(told: Told) -> Line:
    next_at = told.at("next_at")
    if next_at is None:
        return told.line("You have had this already, and it is given once.")
    if told.words.now is not None and next_at <= told.words.now:
        return told.line("You had claimed that day's coins already. /daily gives you today's.")
    return told.line("You have claimed today's coins. The next are yours {when}.", when=told.words.until(next_at))


def _unknown_command(told: Told) -> Line:
    if meant := told.own("nearest"):
        return told.line("There is no such command. Did you mean {nearest}? /help lists them all.", nearest=meant)
    return told.line("There is no such command. /help lists them all.")


def _undo_window_over(told: Told) -> Line:
    if not told.number("seconds"):
        return told.line("What was sent cannot be taken back here. A moderator can still undo it.")
    return told.line(
        "You can take back what you sent for {time}, and that is over. A moderator still can.",
        time=told.words.span(told.number("seconds")),
    )


def _frozen_receiver(told: Told) -> Line:
    if told.holds("own"):
        return told.line("Your wallet is frozen, so you cannot receive. Ask {appeal}.", appeal=told.said("appeal"))
    return told.line(
        "{member} cannot receive: their wallet is frozen. They can ask {appeal}.",
        member=told.member,
        appeal=told.said("appeal"),
    )


def _left_lately(told: Told) -> Line:
    again_at = told.at("again_at")
    if again_at is None or told.words.now is None or again_at <= told.words.now:
        return told.line("This place left another community a moment ago. Ask again in a few minutes.")
    return told.line(
        "This place left another community less than 10 minutes ago. It can join this one {when}.",
        when=told.words.until(again_at),
    )


def _unknown_member(told: Told) -> Line:
    return told.line(
        "I do not know {name} here. They count once they have joined or said something.", name=told.typed("name")
    )


def _unseen(told: Told) -> Line:
    settings = told.words.settings
    if not settings.feature_on(Feature.TIPPING) or not settings.feature_on(Feature.CLAIMS):
        return _unknown_member(told)
    return told.line(
        "{name} was not seen here yet, and only a tip to them alone waits for them. They count once they have joined "
        "or said something.",
        name=told.typed("name"),
    )


def _setting_bounds(told: Told) -> Line:
    setting = SETTINGS.get(told.own("name"))
    if setting is None:
        return told.line("This setting cannot be that. /settings lists them all.")
    can_be = bounds(setting, told.words)
    return told.line("{name} cannot be that. {can_be}", name=setting.name, can_be=can_be)


TEXTS: Final[dict[tuple[Code, str], Callable[[Told], Line]]] = {
    (Code.INVALID_AMOUNT, ""): _invalid_amount,
    (Code.INVALID_AMOUNT, "note"): lambda t: t.line(
        "A note cannot begin with a digit: it looks like part of the amount. Write the amount as one word, such as "
        "{thousand}.",
        thousand=1_000,
    ),
    (Code.INVALID_AMOUNT, "count"): lambda t: t.line(
        "How many stands before the member: /gift rose x3 @name. Nothing was sent."
    ),
    (Code.INSUFFICIENT_FUNDS, ""): lambda t: t.line(
        "This takes {needed}, and you have {available}.", needed=t.coins("needed"), available=t.coins("available")
    ),
    (Code.INSUFFICIENT_FUNDS, "chest"): _chest_short,
    (Code.INSUFFICIENT_FUNDS, "house"): _chest_short,
    (Code.INSUFFICIENT_FUNDS, "held"): lambda t: t.line(
        "This takes {needed} that earnings are set aside from, and {available} are there. Nothing was done.",
        needed=t.coins("needed"),
        available=t.coins("available"),
    ),
    (Code.INSUFFICIENT_FUNDS, "remove"): lambda t: t.line(
        "{needed} cannot be taken from {member}, who has {available} of this kind. Take less, or set the amount.",
        needed=t.coins("needed"),
        member=t.member,
        available=t.coins("available"),
    ),
    (Code.INSUFFICIENT_FUNDS, "split"): lambda t: t.line(
        "{pot} among {people} leaves nobody a whole coin. Share more, or name fewer people.",
        pot=t.coins("pot"),
        people=t.number("people"),
    ),
    (Code.INSUFFICIENT_FUNDS, "undo_spent"): lambda t: t.line(
        "{missing} of it have been spent, so it cannot be taken back whole. A moderator can undo the rest.",
        missing=t.coins("missing"),
    ),
    (Code.SELF_TRANSFER, ""): lambda t: t.line("You cannot send to yourself. Name somebody else."),
    (Code.RECIPIENT_IS_BOT, ""): lambda t: t.line("{member} is a bot, and bots have no wallet.", member=t.member),
    (Code.RECIPIENT_IS_BOT, "roles"): lambda t: t.line("That is a bot, and bots hold no roles. Name a person."),
    (Code.UNKNOWN_MEMBER, ""): _unknown_member,
    (Code.UNKNOWN_MEMBER, "unseen"): _unseen,
    (Code.UNKNOWN_MEMBER, "left"): lambda t: t.line(
        "{name} is not here any more. They can receive again once they are back.", name=t.typed("name")
    ),
    (Code.UNKNOWN_MEMBER, "nobody_in_role"): lambda t: t.line(
        "Nobody who is known to be {role} here can receive this. Name members instead.", role=t.typed("role")
    ),
    (Code.UNKNOWN_GIFT, ""): _unknown_gift,
    (Code.GIFTS_OFF, ""): lambda t: t.line(
        "{member} has turned gifts off. You can send a tip instead.", member=t.member
    ),
    (Code.GIFTS_OFF, "creators_only"): lambda t: t.line(
        "Only creators receive gifts here, and {member} is not one. You can send a tip instead.", member=t.member
    ),
    (Code.UNKNOWN_RECEIPT, ""): lambda t: t.line(
        "There is no such receipt here. Check its number and its letter; /history lists yours."
    ),
    (Code.ALREADY_UNDONE, ""): lambda t: t.line(
        "{receipt} has been undone already; that can be done once.", receipt=t.own("receipt")
    ),
    (Code.UNDO_WINDOW_OVER, ""): _undo_window_over,
    (Code.NOTHING_TO_UNDO, ""): lambda t: t.line("There is nothing to undo. Name a receipt, as /history lists them."),
    (Code.NOTHING_TO_UNDO, "spent"): lambda t: t.line(
        "All of it ({missing}) has been spent, so there is nothing left to take back.", missing=t.coins("missing")
    ),
    (Code.NOTHING_TO_UNDO, "claim_over"): lambda t: t.line(
        "That does not wait any more: it was taken up or went back, as /history says."
    ),
    (Code.NOTHING_TO_UNDO, "kind"): lambda t: t.line(
        "An entry of this kind ({kind}) cannot be undone. Tips, gifts, grants and corrections can.", kind=t.own("kind")
    ),
    (Code.NOTHING_TO_UNDO, "own"): lambda t: t.line(
        "It went from one of your accounts to another, and they are one person now: there is nothing to take back."
    ),
    (Code.FROZEN, ""): _frozen_receiver,
    (Code.FROZEN, "receive"): _frozen_receiver,
    (Code.FROZEN, "everyone"): lambda t: t.line(
        "No coins move here just now: everyone is frozen. Ask {appeal}.", appeal=t.said("appeal")
    ),
    (Code.FROZEN, "staff"): lambda t: t.line(
        "Your wallet is frozen, so you cannot act as staff meanwhile. Ask {appeal}.", appeal=t.said("appeal")
    ),
    (Code.FROZEN, "send"): lambda t: t.line(
        "Your wallet is frozen, so you cannot send. Ask {appeal}.", appeal=t.said("appeal")
    ),
    (Code.FROZEN, "connect"): lambda t: t.line(
        "One of the two accounts is frozen in a community that it is in, so they cannot be connected. Ask {appeal}"
        " there.",
        appeal=t.said("appeal"),
    ),
    (Code.BLOCKED, ""): lambda t: t.line("{member} cannot receive this from you. Nothing was sent.", member=t.member),
    (Code.IN_DEBT, ""): lambda t: t.line(
        "Your wallet owes {owed}, so nothing can leave it until that is made up.", owed=t.coins("owed")
    ),
    (Code.IN_DEBT, "connect"): lambda t: t.line(
        "One of the two accounts owes {owed} in a community that it is in, so they cannot be connected until that is"
        " made up.",
        owed=t.coins("owed"),
    ),
    (Code.LIMIT_EXCEEDED, ""): lambda t: t.line("This is more than the limit of {limit}.", limit=t.number("limit")),
    (Code.LIMIT_EXCEEDED, "balance"): lambda t: t.line(
        "A wallet holds at most {limit}, and {member}'s would hold more. Send less.",
        limit=t.coins("limit"),
        member=t.member,
    ),
    (Code.LIMIT_EXCEEDED, "receivers"): lambda t: t.line(
        "One tip names at most {limit} people. Send it in parts.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "rows"): lambda t: t.line(
        "A file has at most {limit} rows. Send it in parts.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "adjusted"): lambda t: t.line(
        "You can adjust {limit} a day, and have {left} left today. An owner can do more.",
        limit=t.coins("limit"),
        left=t.number("left"),
    ),
    (Code.LIMIT_EXCEEDED, "supply"): lambda t: t.line(
        "This community would have more coins than can be counted. Nothing was done; grant less."
    ),
    (Code.LIMIT_EXCEEDED, "earned"): lambda t: t.line(
        "A member earns at most {limit} a day here, and you have. Come back tomorrow.", limit=t.coins("limit")
    ),
    (Code.LIMIT_EXCEEDED, "undo_since"): lambda t: t.line(
        "One undo takes back at most {limit} entries. Choose a later time.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "claims"): lambda t: t.line(
        "At most {limit} tips of yours wait at a time. /balance shows them; /undo with a receipt takes one back.",
        limit=t.number("limit"),
    ),
    (Code.LIMIT_EXCEEDED, "reaction_limit"): lambda t: t.words.lines(
        "This reaction tips {needed}, and {available} is left of what you can tip by reactions today.",
        "This reaction tips {needed}, and {available} are left of what you can tip by reactions today.",
        t.number("available"),
        needed=t.coins("needed"),
        available=t.coins("available"),
    ),
    (Code.INSUFFICIENT_FUNDS, "reaction_funds"): lambda t: t.words.lines(
        "This reaction tips {needed}, and you have {available} that is free. /daily brings more.",
        "This reaction tips {needed}, and you have {available} that are free. /daily brings more.",
        t.number("available"),
        needed=t.coins("needed"),
        available=t.coins("available"),
    ),
    (Code.NOT_ALLOWED, "reactions_off"): lambda t: t.line(
        "This reaction tips nobody. /reactions says what does, and turns it on."
    ),
    (Code.NOT_ALLOWED, "waits"): lambda t: t.line("This still waits for somebody. Its sender can /undo it."),
    (Code.INVALID_ARGUMENT, "reaction_amount"): lambda t: t.line(
        "What a reaction tips ({amount}) must be less than confirm_from ({limit}), as a reaction cannot be asked "
        "whether it is meant. Change the other first.",
        amount=t.number("amount"),
        limit=t.number("limit"),
    ),
    (Code.LIMIT_EXCEEDED, "blocks"): lambda t: t.line(
        "You can block at most {limit} members. Unblock somebody first.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "words"): lambda t: t.line(
        "The list holds at most {limit} words. Take some off first.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "places"): lambda t: t.line(
        "A community meets in at most {limit} places that joined it. One has to leave first.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "place_codes"): lambda t: t.line(
        "{limit} codes were wrong here. Wait {time}, and ask the owner of the other place for a new one.",
        limit=t.number("limit"),
        time=t.words.span(t.number("seconds")),
    ),
    (Code.LIMIT_EXCEEDED, "favourites"): lambda t: t.line(
        "A creator has at most {limit} favourite gifts. Choose fewer.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "codes"): lambda t: t.line(
        "You have entered {limit} wrong codes. Wait {minutes} minutes, and get a new one from your other account.",
        limit=t.number("limit"),
        minutes=t.number("minutes"),
    ),
    (Code.LIMIT_EXCEEDED, "identities"): lambda t: t.line(
        "One person has at most {limit} accounts. /disconnect one of them first.", limit=t.number("limit")
    ),
    (Code.LIMIT_EXCEEDED, "communities"): lambda t: t.line(
        "An account that is in more than {limit} communities cannot be connected or parted. Leave some first.",
        limit=t.number("limit"),
    ),
    (Code.ALREADY_CLAIMED, ""): _already_claimed,
    (Code.NOT_ALLOWED, ""): lambda t: t.line(
        "Only {roles} may do this. Ask one of them.", roles=roles_named(t.own("roles"), t.words)
    ),
    (Code.NOT_ALLOWED, "bots"): lambda t: t.line("Bots have no wallet and give no commands."),
    (Code.INVALID_ARGUMENT, "no_text"): lambda t: t.line(
        "Nothing is written with an entry of this kind ({kind}). Tips and gifts can have a note.", kind=t.own("kind")
    ),
    (Code.NOT_ALLOWED, "absent"): lambda t: t.line(
        "You are not in this community any more. Come back and say something there first."
    ),
    (Code.NOT_ALLOWED, "approve_self"): lambda t: t.line(
        "You cannot approve yourself. Ask another moderator or the owner."
    ),
    (Code.NOT_ALLOWED, "joined_already"): lambda t: t.line(
        "This place shares another's community already. Its owner can take it out with /community leave first."
    ),
    (Code.NOT_ALLOWED, "others_joined"): lambda t: t.line(
        "Other places joined this community ({places}), so it cannot go elsewhere. /community remove sends them home "
        "first.",
        places=t.number("places"),
    ),
    (Code.NOT_ALLOWED, "began_here"): lambda t: t.line(
        "This community began here, and other places joined it ({places}): they can leave, this one cannot. /community "
        "remove sends them home.",
        places=t.number("places"),
    ),
    (Code.NOT_ALLOWED, "alone"): lambda t: t.line(
        "This place has a community of its own already: there is nothing to leave. /community join begins to share one."
    ),
    (Code.NOT_ALLOWED, "joined_owner"): lambda t: t.line(
        "This place joined the community: its roles cannot stand for owner, since others decide here who holds them. "
        "/roles give makes a member owner by name."
    ),
    (Code.NOT_ALLOWED, "left_lately"): _left_lately,
    (Code.NOT_ALLOWED, "presser"): lambda t: t.line("This button is for somebody else."),
    (Code.NOT_ALLOWED, "adjust_self"): lambda t: t.line(
        "You cannot adjust your own coins. Ask another moderator or the owner."
    ),
    (Code.NOT_ALLOWED, "undo_self"): lambda t: t.line(
        "This undo would give coins back to you. Ask another moderator or the owner."
    ),
    (Code.NOT_ALLOWED, "last_owner"): lambda t: t.line(
        "You cannot take the owner's role from yourself. Give it to somebody who then takes yours."
    ),
    (Code.NOT_ALLOWED, "freeze_owner"): lambda t: t.line("The owner's wallet cannot be frozen by others."),
    (Code.NOT_ALLOWED, "freeze_self"): lambda t: t.line(
        "You cannot lift or change your own freeze. Ask another moderator or the owner."
    ),
    (Code.NOT_ALLOWED, "creators_only"): lambda t: t.line("This is for creators. Become one with /creator join."),
    (Code.NOT_ALLOWED, "outside"): lambda t: t.line("You are not in this community yet. Say something there first."),
    (Code.NOT_ALLOWED, "hidden"): lambda t: t.line("{member} keeps this to themself.", member=t.member),
    (Code.REASON_REQUIRED, ""): lambda t: t.line("This needs a reason, for the record. Write it at the end."),
    (Code.KEY_REUSED, ""): lambda t: t.line("This message was used for something else. Send it as a new one."),
    (Code.EXPIRED, ""): lambda t: t.line("This button no longer works. Give the command again."),
    (Code.EXPIRED, "used"): lambda t: t.line("This button has been used. Give the command again for one more."),
    (Code.EXPIRED, "late"): lambda t: t.line("This button has expired, and nothing was done. Give the command again."),
    (Code.EXPIRED, "said_long_ago"): lambda t: t.line(
        "This reached me more than 10 minutes late, so I did not do it. Send it again if you still mean it."
    ),
    (Code.EXPIRED, "code"): lambda t: t.line(
        "This code does not hold: codes are used once, within {minutes} minutes. Say /connect from your other account"
        " for a new one.",
        minutes=t.number("minutes"),
    ),
    (Code.BUSY, ""): lambda t: t.line("There is a lot going on just now, and nothing was done. Try again in a moment."),
    (Code.READ_ONLY, ""): lambda t: t.line(
        "Coins cannot move just now: there is no room left to write it down. Nothing was done and nothing is lost."
        " Balances can still be read; try again in a few minutes."
    ),
    (Code.FEATURE_OFF, ""): lambda t: t.line(
        "{feature}: turned off here. An owner can turn it on with /features.", feature=t.own("feature").capitalize()
    ),
    (Code.FEATURE_OFF, "balance_board"): lambda t: t.line(
        "There is no board of balances here. An owner can turn it on with /settings balance_board on."
    ),
    (Code.UNKNOWN_COMMAND, ""): _unknown_command,
    (Code.TEXT_NOT_ALLOWED, ""): lambda t: t.line("A word in this text is not allowed here. Say it in other words."),
    (Code.TEXT_NOT_ALLOWED, "links"): lambda t: t.line(
        "Links are not allowed in texts here. Leave it out and send it again."
    ),
    (Code.TEXT_NOT_ALLOWED, "mentions"): lambda t: t.line(
        "Mentions are not allowed in texts here. Receivers stand before the amount; leave others out."
    ),
    (Code.AMBIGUOUS, ""): lambda t: t.line("This names several people where one is meant. Nothing was done."),
    (Code.AMBIGUOUS, "everyone"): lambda t: t.line("Name a member or everyone, not both. Nothing was done."),
    (Code.AMBIGUOUS, "twice"): lambda t: t.line("{member} is named twice. Name everybody once.", member=t.member),
    (Code.AMBIGUOUS, "reply"): lambda t: t.line(
        "You answer one person and name another. Whom do you mean? Nothing was done."
    ),
    (Code.AMBIGUOUS, "role_and_members"): lambda t: t.line("Name a role or members, not both. Nothing was done."),
    (Code.INVALID_ARGUMENT, ""): lambda t: t.line("I do not understand all of this."),
    (Code.INVALID_ARGUMENT, "unknown_setting"): lambda t: t.line(
        "There is no setting called {name}. /settings lists them all.", name=t.typed("name")
    ),
    (Code.INVALID_ARGUMENT, "not_a_number"): _setting_bounds,
    (Code.INVALID_ARGUMENT, "out_of_bounds"): _setting_bounds,
    (Code.INVALID_ARGUMENT, "not_a_choice"): _setting_bounds,
    (Code.INVALID_ARGUMENT, "not_a_single_emoji"): _setting_bounds,
    (Code.INVALID_ARGUMENT, "not_a_switch"): lambda t: t.line("{name} is either on or off.", name=t.typed("name")),
    (Code.INVALID_ARGUMENT, "not_a_time_zone"): lambda t: t.line(
        "{name} takes the name of a time zone, such as Europe/Madrid or UTC.", name=t.typed("name")
    ),
    (Code.INVALID_ARGUMENT, "not_a_language"): lambda t: t.line(
        "{name} takes a language by its tag, such as en or pt_BR.", name=t.typed("name")
    ),
    (Code.INVALID_ARGUMENT, "not_a_text"): lambda t: t.line("{name} is a text.", name=t.typed("name")),
    (Code.INVALID_ARGUMENT, "receivers"): lambda t: t.line("Nobody is named to get it. Name at least one member."),
    (Code.INVALID_ARGUMENT, "rows"): lambda t: t.line(
        "Nobody is named. Name a member or a role, or send a file with a member and an amount in each row."
    ),
    (Code.INVALID_ARGUMENT, "file"): lambda t: t.line(
        "This file cannot be read. Send a CSV file with a member and an amount in each row."
    ),
    (Code.INVALID_ARGUMENT, "row"): lambda t: t.line("A row holds a member and an amount, such as: ana,50"),
    (Code.INVALID_ARGUMENT, "not_asked"): lambda t: t.line("{member} has not asked to be a creator.", member=t.member),
    (Code.INVALID_ARGUMENT, "code"): lambda t: t.line(
        "This code does not work: it is mistyped, used, or older than 10 minutes. Ask the owner of the other place for "
        "a new one."
    ),
    (Code.INVALID_ARGUMENT, "own_place_code"): lambda t: t.line(
        "This code is from this community. It is for the owner of another place, to be given there."
    ),
    (Code.INVALID_ARGUMENT, "no_such_place"): lambda t: t.line(
        "No place of that number joined this community. /community lists them."
    ),
    (Code.INVALID_ARGUMENT, "own_code"): lambda t: t.line(
        "This code is your own. Say /connect with it from your other account."
    ),
    (Code.INVALID_ARGUMENT, "connected"): lambda t: t.line("These accounts are one person already. Nothing is to do."),
    (Code.INVALID_ARGUMENT, "not_connected"): lambda t: t.line(
        "This account is connected to no other. /connect connects it."
    ),
    (Code.INVALID_ARGUMENT, "block_self"): lambda t: t.line("You cannot block yourself."),
    (Code.INVALID_ARGUMENT, "word_length"): lambda t: t.line(
        "A word on the list has 1 to {limit} characters.", limit=t.number("limit")
    ),
    (Code.INVALID_ARGUMENT, "too_long"): lambda t: t.line(
        "This text is too long: it may have {limit} characters.", limit=t.number("limit")
    ),
    (Code.INVALID_ARGUMENT, "before_amount"): lambda t: t.line("The words each and split stand before the amount."),
    (Code.INVALID_ARGUMENT, "missing"): lambda t: t.line(
        "Something is missing: {what}.", what=t.own("needed") or t.own("option")
    ),
    (Code.INVALID_ARGUMENT, "too_many"): lambda t: t.line("There is more here than this command takes."),
    (Code.INVALID_ARGUMENT, "not_a_group"): lambda t: t.line(
        "Name a role of this platform: {option}.", option=t.own("option")
    ),
    (Code.INVALID_ARGUMENT, "not_a_channel"): lambda t: t.line("Name a channel: {option}.", option=t.own("option")),
    (Code.INVALID_ARGUMENT, "administrator"): lambda t: t.line(
        "Administrators are whoever is one on the platform; give another role."
    ),
    (Code.FEATURE_OFF, "channel"): lambda t: t.line("No commands are answered in this channel. Use another one."),
    (Code.INVALID_ARGUMENT, "holders_unknown"): lambda t: t.line(
        "I am not told who holds the role {name}. Whoever runs this bot can turn on the members intent, so that I am.",
        name=t.typed("name"),
    ),
    (Code.INVALID_ARGUMENT, "not_a_word"): lambda t: t.line("A member or a file stands where a word belongs."),
    (Code.INVALID_ARGUMENT, "gift_first"): lambda t: t.line("The gift comes first, and whoever gets it after it."),
    (Code.INVALID_ARGUMENT, "choice"): lambda t: t.line(
        "{option} is one of: {choices}.",
        option=t.own("option").capitalize(),
        choices=t.own("choices").replace(",", ", "),
    ),
    (Code.INVALID_ARGUMENT, "group"): lambda t: t.line(
        "Say which: {choices}.",
        choices=", ".join(f"/{t.own('option')} {choice}" for choice in t.own("choices").split(",")),
    ),
    (Code.INVALID_ARGUMENT, "time"): lambda t: t.line("A time is written like 2h, 3d or 2026-01-05."),
    (Code.INVALID_ARGUMENT, "page"): lambda t: t.line("A page is a whole number from 1."),
    (Code.INVALID_ARGUMENT, "not_a_member"): lambda t: t.line("A member is named with an @ before their name."),
}
