"""A reaction under somebody's message -> a tip, where the community and whoever reacts want that."""

from __future__ import annotations

import msgspec

from adapters.contract import Reply, Visibility
from bot.arrivals import told
from economy.books import REACTIONS
from economy.rules.reacting import ReactionShort, TipByReaction, is_the_one
from economy.rules.tipping import Tipped
from economy.service import Economy, Submission
from economy.settings import Feature
from economy.values import Place, Sighting, fitting_key


async def reacted(
    economy: Economy, place: Place, person: Sighting, author: Sighting, emoji: str, act: str
) -> Reply | None:
    """What is told of it: the tip to everyone, unless the community wants it silent; why there was none to whoever
    reacted, once a day. None for everything else."""
    if person.is_bot or author.is_bot or person.identity == author.identity:
        return None
    reader = await economy.reads.reader(place, person.identity)
    is_on = reader.settings.feature_on(Feature.REACTIONS) and reader.flags.get(REACTIONS) is True
    if reader.community_id is None or not is_on or not is_the_one(emoji, reader.settings):
        return None
    order = TipByReaction(by=person.identity, author=author.identity, emoji=emoji)
    answer = await economy.submit(Submission(place, fitting_key(act), order, frozenset(), (person, author)))
    if answer.repeated:
        # Taken away and put back, or brought again: it counted, and was told.
        return None
    match answer.outcome:
        case Tipped() if reader.settings.reactions_shown:
            shown = await told(economy, reader.community_id, reader, answer, answer.outcome, outcome="reaction")
            # In passing, and many: nobody is called for it.
            return msgspec.structs.replace(shown, pings=())
        case ReactionShort():
            return await told(
                economy,
                reader.community_id,
                reader,
                answer,
                answer.outcome,
                outcome="reaction",
                visibility=Visibility.PRIVATE,
            )
        case _:
            return None
