"""`/settings`, `/features` and `/roles`: how a community is run, and by whom."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from adapters.contract import FieldValue, Line, Reply, Table
from bot.amounts import parse_coins
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.naming import inert
from bot.options import Rest, SettingName
from bot.setting_texts import bounds, shown_value
from bot.telling import Done, Telling
from bot.wording import Words, is_spoken
from economy.refusals import Code, Value
from economy.rules.configuring import (
    Appoint,
    Appointed,
    ChangeSetting,
    FeatureTurned,
    SettingChanged,
    TurnFeature,
)
from economy.rules.permissions import Right
from economy.rules.places import mapping
from economy.settings import SETTINGS, Feature, Kind, Setting
from economy.values import Role, Sighting, plain_text

RESET = "reset"
_ON = frozenset({"on", "yes", "true"})
_OFF = frozenset({"off", "no", "false"})
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?", re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


# --- settings ---------------------------------------------------------------------------------------------------------


@command(
    examples=("settings", "settings undo_window", "settings undo_window 120", "settings undo_window reset"),
    in_menu=True,
)
async def settings(
    asked: Asked,
    name: Annotated[SettingName | None, "which setting"] = None,
    value: Annotated[Rest | None, "what it shall be; `reset` for as it came"] = None,
) -> Reply:
    """See how this community is set up, and change it if you own it."""
    if name is None:
        return asked.reply(_all_settings(asked))
    setting = SETTINGS.get(name)
    if setting is None:
        asked.refuse(Code.INVALID_ARGUMENT, rule="unknown_setting", name=inert(name))
    if value is None:
        return asked.reply(_one_setting(asked, setting))
    return await asked.submit(ChangeSetting(by=asked.by, name=name, value=_typed(setting, value, asked)))


def _typed(setting: Setting, typed: str, asked: Asked) -> Value:
    """What was typed as the setting wants it; None for `reset`. What cannot be read is the rule's to refuse."""
    text = plain_text(typed)
    if text.lower() == RESET:
        return None
    match setting.kind:
        case Kind.NUMBER if setting.unit == "coins":
            return int(parse_coins(text, asked.invocation.locale))
        case Kind.NUMBER:
            return int(text) if _WHOLE.fullmatch(text) else text
        case Kind.PERCENT:
            found = _PERCENT.fullmatch(text)
            return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else text
        case Kind.SWITCH:
            return True if text.lower() in _ON else False if text.lower() in _OFF else text
        case Kind.CHOICE:
            return text.lower()
        case Kind.LANGUAGE:
            # As people and platforms write it: `pt-br`.
            language, _, region = text.replace("-", "_").partition("_")
            return f"{language.lower()}_{region.upper()}" if region else language.lower()
        case Kind.TEXT | Kind.TIME_ZONE | Kind.EMOJI:
            return text


def _all_settings(asked: Asked) -> Telling:
    words, now = asked.words, asked.reader.settings
    rows = tuple((name, shown_value(setting, getattr(now, name), words)) for name, setting in SETTINGS.items())
    fields: dict[str, FieldValue] = {"settings": {name: getattr(now, name) for name in SETTINGS}}
    lines = [words.line("/settings with a name says what it does.")]
    if asked.may(Right.SETTINGS):
        lines.append(words.line("/settings with a name and a value changes it, with `reset` puts it back as it came."))
    return Telling(nodes=(Table((words.text("Setting"), words.text("Now")), rows), *lines), fields=fields)


def _one_setting(asked: Asked, setting: Setting) -> Telling:
    words = asked.words
    value = getattr(asked.reader.settings, setting.name)
    lines = [
        words.line(
            "{name} is {value}. {doc}",
            name=setting.name,
            value=shown_value(setting, value, words),
            doc=words.text(setting.doc),
        ),
        words.line(
            "It came as {value}. {bounds}",
            value=shown_value(setting, setting.default, words),
            bounds=bounds(setting, words),
        ),
    ]
    return Telling(nodes=tuple(lines), fields={"name": setting.name, "value": value, "default": setting.default})


@tells(SettingChanged)
def setting_changed(receipt: SettingChanged, done: Done, words: Words) -> Telling:
    setting = SETTINGS[receipt.name]
    before, after = (shown_value(setting, value, words) for value in (receipt.before, receipt.after))
    if receipt.before == receipt.after:
        line = words.line("{name} stays {value}.", name=receipt.name, value=after)
    else:
        line = words.line("{name} is now {after}; it was {before}.", name=receipt.name, after=after, before=before)
    fields: dict[str, FieldValue] = {
        "name": receipt.name,
        "before": receipt.before,
        "after": receipt.after,
        "reset": receipt.reset,
    }
    lines = [line]
    if setting.kind is Kind.LANGUAGE and not is_spoken(str(receipt.after)):
        lines.append(words.line("There are no texts in it so far: what everyone sees stays in English."))
    return Telling(nodes=tuple(lines), fields=fields)


# --- features ---------------------------------------------------------------------------------------------------------


@command(examples=("features", "features gifts off"))
async def features(
    asked: Asked,
    feature: Annotated[Feature | None, "which part of Florin"] = None,
    turn: Annotated[Literal["on", "off"] | None, "on or off"] = None,
) -> Reply:
    """See which parts of Florin are on, and turn them on or off if you own this community."""
    if feature is not None and turn is not None:
        return await asked.submit(TurnFeature(by=asked.by, feature=feature, on=turn == "on"))
    if turn is not None:
        asked.refuse(Code.INVALID_ARGUMENT, rule="missing", option="feature")
    words, now = asked.words, asked.reader.settings
    wanted = tuple(Feature) if feature is None else (feature,)
    rows = tuple(
        (str(each), words.text("on") if now.feature_on(each) else words.text("off"), feature_doc(each, words))
        for each in wanted
    )
    nodes: list[Line | Table] = [Table((words.text("Feature"), words.text("Now"), words.text("What it is")), rows)]
    if asked.may(Right.SETTINGS):
        nodes.append(words.line("/features with a name and `on` or `off` turns it."))
    fields: dict[str, FieldValue] = {"features": {str(each): now.feature_on(each) for each in wanted}}
    return asked.reply(Telling(nodes=tuple(nodes), fields=fields))


def feature_doc(feature: Feature, words: Words) -> str:
    """What goes when it is turned off."""
    match feature:
        case Feature.TIPPING:
            return words.text("coins from member to member")
        case Feature.GIFTS:
            return words.text("the catalogue, and gifts to members")
        case Feature.CREATORS:
            return words.text("members who earn from gifts")
        case Feature.DAILY:
            return words.text("free coins, once a day")
        case Feature.BOARDS:
            return words.text("who gives and gets the most")
        case Feature.CHEST:
            return words.text("the community's own coins")
        case Feature.HISTORY:
            return words.text("one's own entries and receipts")
        case Feature.CLAIMS:
            return words.text("tips that wait for somebody not yet seen")
        case Feature.REACTIONS:
            return words.text("tips by reaction, for those who want it")


@tells(FeatureTurned)
def feature_turned(receipt: FeatureTurned, done: Done, words: Words) -> Telling:
    if receipt.on:
        line = words.line("Turned on: {feature}.", feature=str(receipt.feature))
    else:
        line = words.line("Turned off: {feature}. It is gone from /help, and refused.", feature=str(receipt.feature))
    return Telling(nodes=(line,), fields={"feature": str(receipt.feature), "on": receipt.on})


# --- roles ------------------------------------------------------------------------------------------------------------


class GivenRole(StrEnum):
    """Roles that are given by name; an administrator is one by the platform."""

    OPERATOR = Role.OPERATOR.value
    OWNER = Role.OWNER.value
    TREASURER = Role.TREASURER.value
    MODERATOR = Role.MODERATOR.value
    AUDITOR = Role.AUDITOR.value
    CREATOR = Role.CREATOR.value


@command()
async def roles(asked: Asked) -> Reply:
    """See who runs this community: owners, treasurers, moderators, auditors."""
    holders = {
        role: await asked.economy.reads.holders(asked.community_id, role)
        for role in map(Role, GivenRole)
        if role is not Role.CREATOR
    }
    words = await asked.words_for(member for members in holders.values() for member in members)
    lines = [
        words.line("{role}: {members}", role=role_name(role, words), members=words.people(members))
        for role, members in holders.items()
        if members
    ]
    lines += [
        words.line("{role}: whoever holds {group}", role=role_name(role, words), group=words.called(group))
        for role, group in mapping(asked.reader.community_flags)
    ]
    if asked.reader.home is not None:
        lines.append(words.line("This place joined the community, which whoever owns the place where it began owns."))
    elif not lines:
        lines = [words.line("Nobody holds a role here by name. Whoever owns this place on its platform is its owner.")]
    if asked.may(Right.APPOINT):
        lines.append(words.line("/roles give and /roles take change that."))
    fields: dict[str, FieldValue] = {
        "roles": {str(role): [words.field(member) for member in members] for role, members in holders.items()}
    }
    return asked.reply(Telling(nodes=tuple(lines), fields=fields))


@command(name="roles give", right=Right.APPOINT, examples=("roles give @bo moderator",))
async def give_role(
    asked: Asked,
    member: Annotated[Sighting, "to whom"],
    role: Annotated[GivenRole, "which role; only an operator makes operators"],
) -> Reply:
    """Give a member a role."""
    return await asked.submit(Appoint(by=asked.by, member=member.identity, role=Role(role)))


@command(name="roles take", right=Right.APPOINT, examples=("roles take @bo moderator",))
async def take_role(
    asked: Asked,
    member: Annotated[Sighting, "from whom"],
    role: Annotated[GivenRole, "which role"],
) -> Reply:
    """Take a role from a member; it ends at once."""
    return await asked.submit(Appoint(by=asked.by, member=member.identity, role=Role(role), given=False))


@tells(Appointed)
def appointed(receipt: Appointed, done: Done, words: Words) -> Telling:
    member, role = words.name(receipt.member), role_name(receipt.role, words)
    if receipt.given:
        line = words.line("{member} has a new role: {role}.", member=member, role=role)
    else:
        line = words.line("{member} no longer has the role: {role}.", member=member, role=role)
    fields: dict[str, FieldValue] = {
        "member": words.field(receipt.member),
        "role": str(receipt.role),
        "given": receipt.given,
    }
    return Telling(nodes=(line,), fields=fields)


def role_name(role: Role, words: Words) -> str:
    """What a role is called."""
    match role:
        case Role.OPERATOR:
            return words.text("operator")
        case Role.OWNER:
            return words.text("owner")
        case Role.TREASURER:
            return words.text("treasurer")
        case Role.MODERATOR:
            return words.text("moderator")
        case Role.AUDITOR:
            return words.text("auditor")
        case Role.CREATOR:
            return words.text("creator")
        case Role.ADMINISTRATOR:
            return words.text("administrator")
