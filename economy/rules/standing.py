"""What somebody is in a community by what their platform says of them: the one place where that is decided. Pure.

A community has the owner that it began with. Whoever owns a place that joined it later owns that place and no more:
else a one-time code would give away the right to make coins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from economy.refusals import Value
from economy.rules.places import mapped_roles
from economy.settings import Settings
from economy.values import Role

RUNS_A_PLACE = frozenset({Role.OWNER, Role.ADMINISTRATOR})


def standing_of(
    flags: Mapping[str, Value],
    settings: Settings,
    platform: str,
    *,
    joined: bool,
    attested: frozenset[Role],
    held: Iterable[str] = (),
    administers: bool = False,
) -> frozenset[Role]:
    """The roles that are somebody's by the platform at this moment.

    `attested`, `held` and `administers` are what the door says of them in the place where they act; `joined` is whether
    that place joined the community, whose `flags` and `settings` these are.
    """
    mapped = mapped_roles(flags, platform, held)
    if not joined:
        return attested | mapped | (settings.administrator_roles if administers else frozenset())
    # The operator is operator everywhere. Who holds which of a place's roles is up to whoever runs that place, so none
    # of them makes an owner.
    runs_it = administers or not attested.isdisjoint(RUNS_A_PLACE)
    return (attested & {Role.OPERATOR}) | (mapped - {Role.OWNER}) | (settings.joined_roles if runs_it else frozenset())
