"""The reference pages in docs/, read off what they describe: commands, permissions and settings. Pure.

    python -m bot.reference > docs/commands.md
    python -m bot.reference permissions > docs/permissions.md
    python -m bot.reference settings > docs/settings.md

Tests compare the pages with what stands here, so a change of a command comes with its line in the docs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import groupby

from adapters.contract import CommandSpec, Visibility
from bot.commands.registry import specs
from bot.meanings import usage
from bot.setting_texts import bounds, shown_value
from bot.settings import variable_names
from bot.wording import SOURCE_LOCALE, Words
from economy.rules.permissions import WHO_MAY, Right, roles_with
from economy.settings import OFF_AT_FIRST, SETTINGS, Feature, Settings
from economy.values import Role

_COMMANDS = """\
# Commands

Written with a slash, in a place or to the bot alone. `<needed>` and `[optional]` stand as shown; `each|split` is one
of the two. An optional one can also be named: `kind:tip`. Members are written with `@`, or by id as `id:NAME`.
Amounts are `50`, `1,000`, `2.5k`, `all` or `half`. Receipts are a number and a letter, such as `1042W`.

A public answer is for everyone in the place. Refusals, questions before something big, and whatever is one's own are
private always.
"""

_FIELDS = """\
## Fields

With `--json` every reply has `fields`, by these names. Amounts are numbers, positive except in history; names are
without `@`; times are ISO 8601 in UTC; what is not there is `null`. A question has the fields of its answer and
`why`, a list; a refusal has those of docs/refusals.md.
"""

# What the fields of a reply are called, for those who script it.
FIELDS = {
    "audit": "`rows` of `receipt kind actor members reason note at undone_by undoes changes[name before after]`, or"
    " with `refused` of `kind actor code at`; `page`; as a file `entries complete`",
    "balance": "`coin bonus diamond diamond_held` (`diamond` includes what is held)",
    "block": "`member blocked`; `unblock` the same",
    "blocks": "`members`",
    "catalogue": "`gift price` (`price` null once retired)",
    "chest": "`bonus`; when tipped from it `tips` of `to amount`",
    "claims": "`rows` of `receipt to amount waits_until`",
    "coins": "`member asset amount balance`; for several `rows` of the same; `amount` as typed, `balance` after",
    "channels": "`uses` of `use channel`, `announcements log` by name; when set `channel use notices`",
    "community": "`places` of `name platform since number`, `began_in`; asked for a code `code`; when one joins `place"
    " platform there currency own_currency number`, leaves or is removed `place platform number removed`",
    "connect": "with a code `code expires`; when asked `other platform coin bonus diamond communities`, one's own; once"
    " agreed `expires`; once joined `member coin bonus diamond`, what came along",
    "creator": "`member state profile favourites` (`state` is `creator`, `asked` or `none`)",
    "daily": "`amount streak next_at`",
    "disconnect": "when asked `who coin bonus diamond communities`, what stays; once done `member`",
    "features": "`features` by name, true or false; when turned `feature on`",
    "freeze": "`member what` (`member` null for everyone); `unfreeze` the same",
    "gift": "`gift count cost creator diamond bonus house` (`creator` the receiver, `house` both assets added); in a"
    " combo `combo` of `sends count cost`, all that stands of it",
    "gifts": "`rows` of `gift price`, `page budget`; when turned `on`",
    "help": "`commands`, or for one `name usage examples aliases`",
    "hide": "`what hidden`; `show` the same",
    "history": "`rows` of `receipt kind amount asset counterpart note at`, signed, a row an asset",
    "reactions": "`on emoji`",
    "receipt": "`receipt genuine undone` for everyone; for those in it and for staff all of it",
    "redact": "`of`",
    "roles": "`roles` by name, a list of members each; when given or taken `member role given`; mapped `group role`",
    "settings": "`settings` by name; for one `name value default`; when changed `name before after reset`",
    "tip": "`tips` of `to amount`; to somebody not yet seen `to amount waits_until`",
    "top": "`board period rows[rank name score] own[rank score]`",
    "undo": "`receipts taken missing`; of a combo `combo` as for a gift",
    "words": "`words`; when changed `word listed`",
}

_PERMISSIONS = """\
# Who may do what

One table, which the rules read too. Everything else every member may do with what is their own.

Owner is whoever owns the place on its platform, and whoever an owner made one. An administrator of the platform is no
owner by that: they moderate, and mint nothing until the owner gives them a role. The operator runs this Florin: no
owner by that either. Roles are given by `/roles give`, or come with a role of the platform's, by `/roles map`. They
are looked at afresh in every order: a role that was taken away ends at once, and a role in one community is none in
another.

A community that meets in several places has the owner that it began with. Whoever owns or administers a place that
joined it is what `/settings joined_staff` says, a member if nothing else is set. Its owner chooses the channels of that
place, and can take it out with `/community leave`. Roles given by name hold in every place; roles of a joined place's
platform can stand for any role but owner.
"""

_SETTINGS = """\
# Settings

## The environment

Read once, when Florin starts. A variable set to nothing counts as not set; an unknown one beginning with `FLORIN_` is
refused, with the name that may have been meant. Values are never told back: not in logs, not in errors.

Tokens are refused if they are an example's or not of the platform's form. `FLORIN_DEBUG` and the addresses for tests
cannot stand beside a real token; tests use a token that begins with `test-`, and servers on this machine.
"""

_OF_A_COMMUNITY = """\
## Of a community

Set by its owner: `/settings <name> <value>`, and `/settings <name> reset` for as it came. Every change is in `/audit`,
before and after.
"""

WHAT = {
    Right.TIP_ROLES: "tip everyone who holds a role",
    Right.ADJUST_FREE: "add, remove and set free coins: `/coins`",
    Right.ADJUST_BOUGHT: "add, remove and set bought coins and earnings: `/coins ... bought`, `... earnings`",
    Right.UNDO_ANY: "undo what others did, at any time",
    Right.FREEZE: "freeze and unfreeze a member",
    Right.FREEZE_ALL: "freeze and unfreeze everyone",
    Right.SEE_AUDIT: "search the audit",
    Right.SEE_WALLETS: "see others' wallets, entries and receipts in full",
    Right.SPEND_CHEST: "spend the community's chest",
    Right.SETTINGS: "change settings, turn features on and off",
    Right.APPOINT: "give and take roles",
    Right.PLACES: "let other places join the community and send them home, or join another's",
    Right.APPOINT_OPERATOR: "make operators",
    Right.WORDS: "see and change the word list",
    Right.REMOVE_TEXTS: "remove notes and messages",
    Right.APPROVE_CREATORS: "approve and decline creators",
    Right.CATALOGUE: "change prices, retire gifts",
}


def commands_page() -> str:
    """docs/commands.md"""
    sections = [_COMMANDS]
    for topic, found in groupby(sorted(specs(), key=lambda spec: (spec.topic, spec.name)), lambda spec: spec.topic):
        sections.append(f"## {topic.capitalize()}\n\n" + "\n".join(_command(spec) for spec in found))
    fields = (f"- `{command}`: {names}\n" for command, names in sorted(FIELDS.items()))
    sections.append(f"{_FIELDS}\n{''.join(fields)}")
    return "\n".join(sections)


def _command(spec: CommandSpec) -> str:
    lines = [f"### `{usage(spec)}`\n", f"{spec.help}\n"]
    lines += [f"- `{option.name}`: {_option_words(option.help, option.choices)}" for option in spec.options]
    facts = ["public" if spec.visibility is Visibility.PUBLIC else "private"]
    if spec.aliases:
        facts.append("also " + ", ".join(f"`/{alias}`" for alias in spec.aliases))
    if spec.right is not None:
        facts.append(f"for {_roles(Right(spec.right))}")
    if spec.feature is not None:
        facts.append(f"part of `{spec.feature}`")
    if spec.options:
        lines.append("")
    if spec.examples:
        lines.append("For example " + ", ".join(f"`/{example}`" for example in spec.examples) + ".\n")
    lines.append(f"{', '.join(facts).capitalize()}.\n")
    return "\n".join(lines)


def _option_words(words: str, choices: Iterable[str]) -> str:
    listed = ", ".join(f"`{choice}`" for choice in choices)
    return f"{words} ({listed})" if listed else words


def _roles(right: Right) -> str:
    *first, last = (f"{role}s" for role in roles_with(right).split(","))
    return f"{', '.join(first)} and {last}" if first else last


def permissions_page() -> str:
    """docs/permissions.md"""
    columns = [role for role in Role if any(role in holders for holders in WHO_MAY.values())]
    rows = [["", *columns], ["---", *[":-:" for _ in columns]]]
    rows += [[WHAT[right], *("yes" if role in WHO_MAY[right] else "" for role in columns)] for right in Right]
    return f"{_PERMISSIONS}\n{_table(rows)}"


def settings_page() -> str:
    """docs/settings.md"""
    words = Words(SOURCE_LOCALE, Settings())
    environment = [["variable", "default", "what it is"], ["---", "---", "---"]]
    environment += [
        [f"`{name}`", f"`{default}`" if default else "", doc] for name, (default, doc) in variable_names().items()
    ]
    community = [["setting", "as it comes", "what it is"], ["---", "---", "---"]]
    community += [
        [f"`{name}`", shown_value(setting, setting.default, words), f"{setting.doc} {bounds(setting, words)}"]
        for name, setting in SETTINGS.items()
    ]
    features = (
        f"Features, turned by `/features <name> on` or `off`: {', '.join(f'`{each}`' for each in Feature)}."
        f" Off until they are turned on: {', '.join(f'`{each}`' for each in sorted(OFF_AT_FIRST))}.\n"
    )
    return "\n".join([_SETTINGS, _table(environment), _OF_A_COMMUNITY, _table(community), features])


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


PAGES: dict[str, Callable[[], str]] = {
    "commands": commands_page,
    "permissions": permissions_page,
    "settings": settings_page,
}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1] if len(sys.argv) > 1 else "commands"]())
