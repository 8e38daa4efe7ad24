"""What owners decide: settings, features, and who holds which role. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from economy.books import CREATOR, PRESENT, ROLE_PREFIX, Books, Decision, Event, Needs, Order, Outcome
from economy.ledger import Receipt
from economy.refusals import Code, Refusal, Value, refuse
from economy.rules.permissions import Right, must_be_allowed
from economy.settings import FEATURE_PREFIX, OFF_AT_FIRST, SETTING_PREFIX, SETTINGS, Feature, Settings, problem_with
from economy.values import Identity, MemberId, Role, plain_text


class SettingChanged(Receipt, frozen=True, kw_only=True, tag="setting_changed"):
    """`before` and `after` as in force: a reset answers the default."""

    actor: MemberId
    name: str
    before: Value
    after: Value
    reset: bool


class CommunityConfigured(Event, frozen=True, kw_only=True, tag="community_configured"):
    actor: MemberId
    name: str


class ChangeSetting(Order, frozen=True, kw_only=True, tag="change_setting"):
    """Sets a setting; None resets it to its default."""

    kind: ClassVar[str] = "settings"

    name: str
    value: Value

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.SETTINGS):
            return refusal
        setting = SETTINGS.get(self.name)
        if setting is None:
            return refuse(Code.INVALID_ARGUMENT, rule="unknown_setting", name=self.name)
        value = plain_text(self.value) if isinstance(self.value, str) else self.value
        if value is not None and (problem := problem_with(setting, value)):
            return refuse(
                Code.INVALID_ARGUMENT, rule=problem, name=setting.name, least=setting.least, most=setting.most
            )
        changed = Settings.of({**books.flags, SETTING_PREFIX + setting.name: value})
        if setting.name in ("reaction_amount", "confirm_from") and (refusal := _must_not_ask(changed)):
            return refusal
        before = books.flags.get(SETTING_PREFIX + setting.name)
        return Decision(
            receipt=SettingChanged(
                actor=actor.id,
                name=setting.name,
                before=setting.default if before is None else before,
                after=setting.default if value is None else value,
                reset=value is None,
            ),
            facts=(books.community_fact(SETTING_PREFIX + setting.name, value),),
            events=(CommunityConfigured(actor=actor.id, name=setting.name),),
        )


def _must_not_ask(settings: Settings) -> Refusal | None:
    """A reaction cannot be asked whether it is meant: where reactions tip, they tip less than what asks first."""
    if not settings.feature_on(Feature.REACTIONS) or settings.reaction_amount < settings.confirm_from:
        return None
    return refuse(
        Code.INVALID_ARGUMENT,
        rule="reaction_amount",
        amount=settings.reaction_amount,
        limit=settings.confirm_from,
    )


class FeatureTurned(Receipt, frozen=True, kw_only=True, tag="feature_turned"):
    actor: MemberId
    feature: Feature
    on: bool


class TurnFeature(Order, frozen=True, kw_only=True, tag="turn_feature"):
    """Turns a feature on or off for the community."""

    kind: ClassVar[str] = "features"

    feature: Feature
    on: bool

    def needs(self) -> Needs:
        return Needs(sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        if refusal := must_be_allowed(books, actor, Right.SETTINGS):
            return refusal
        at_first = self.feature not in OFF_AT_FIRST
        turned = Settings.of({**books.flags, FEATURE_PREFIX + self.feature: self.on})
        if self.feature is Feature.REACTIONS and (refusal := _must_not_ask(turned)):
            return refusal
        return Decision(
            receipt=FeatureTurned(actor=actor.id, feature=self.feature, on=self.on),
            facts=(books.community_fact(FEATURE_PREFIX + self.feature, None if self.on == at_first else self.on),),
            events=(CommunityConfigured(actor=actor.id, name=str(self.feature)),),
        )


class Appointed(Receipt, frozen=True, kw_only=True, tag="appointed"):
    actor: MemberId
    member: MemberId
    role: Role
    given: bool


class RoleChanged(Event, frozen=True, kw_only=True, tag="role_changed"):
    actor: MemberId
    member: MemberId
    role: Role
    given: bool


class Appoint(Order, frozen=True, kw_only=True, tag="appoint"):
    """Gives a role to a member by name, or takes it away. Only an operator makes operators."""

    kind: ClassVar[str] = "roles"

    member: Identity
    role: Role
    given: bool = True

    def needs(self) -> Needs:
        return Needs(people=(self.member,), sets_community=True)

    def decide(self, books: Books, now: datetime) -> Outcome:
        actor = books.actor(self.by)
        right = Right.APPOINT_OPERATOR if self.role is Role.OPERATOR else Right.APPOINT
        if refusal := must_be_allowed(books, actor, right):
            return refusal
        if self.role is Role.ADMINISTRATOR:
            return refuse(Code.INVALID_ARGUMENT, rule="administrator")
        member = books.find(self.member)
        if member is None or (self.given and member.flags.get(PRESENT) is not True):
            return refuse(Code.UNKNOWN_MEMBER, name=self.member.native_id)
        if member.is_bot and self.given:
            return refuse(Code.RECIPIENT_IS_BOT, rule="roles", member_id=member.id)
        if self.role in (Role.OWNER, Role.OPERATOR) and not self.given and member.id == actor.id:
            return refuse(Code.NOT_ALLOWED, rule="last_owner")
        facts = [member.fact(ROLE_PREFIX + self.role, True if self.given else None)]
        if self.role is Role.CREATOR and not self.given:
            facts.append(member.fact(CREATOR, None))  # also of who became one without being appointed
        return Decision(
            receipt=Appointed(actor=actor.id, member=member.id, role=self.role, given=self.given),
            facts=tuple(facts),
            events=(RoleChanged(actor=actor.id, member=member.id, role=self.role, given=self.given),),
        )
