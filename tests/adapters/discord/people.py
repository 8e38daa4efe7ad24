"""People at a Discord in tests: they use commands, press buttons, fill in forms, and see what comes."""

from __future__ import annotations

from typing import Any

from bot.naming import inert, isolated
from tests.adapters.discord.checks import nested
from tests.adapters.discord.peer import Interaction, Peer
from tests.adapters.discord.seeing import labels_of, lines_of
from tests.adapters.discord.state import EPHEMERAL, Channel, Guild, Role, User

COMMAND, PRESS, TYPING, FORM = 2, 3, 4, 5
REACTIONS = 1 << 10
Value = str | int | bool | User | Role | Channel | dict[str, Any]


class Person:
    """Somebody in a channel of a server."""

    def __init__(self, peer: Peer, user: User, guild: Guild, channel: Channel | None = None) -> None:
        self.peer = peer
        self.user = user
        self.guild = guild
        self.channel = channel or next(iter(guild.channels.values()))

    # --- acting -----------------------------------------------------------------------------------------------------

    async def use(self, command: str, /, **options: Value) -> Seen:
        """Uses a slash command: `use("roles give", member=bo, role="moderator")`; waits for its answer."""
        return await self.sees(await self.send(command, **options))

    async def send(self, command: str, /, **options: Value) -> Interaction:
        """Uses a slash command, and does not wait."""
        data = self.command_data(command, options)
        return await self.peer.interact(COMMAND, self.user, self.channel, data)

    async def suggestions(self, command: str, focused: str, /, **options: Value) -> list[dict[str, Any]]:
        """What is offered while an option is being typed."""
        data = self.command_data(command, options, focused=focused)
        interaction = await self.peer.interact(TYPING, self.user, self.channel, data)
        await self._answered(interaction)
        assert interaction.choices is not None
        return interaction.choices

    async def press(self, seen: Seen, label: str) -> Seen:
        """Presses the button `label` of something seen; waits for the answer."""
        return await self.sees(await self.send_press(seen, label))

    async def send_press(self, seen: Seen, label: str) -> Interaction:
        return await self.send_custom(seen.message, seen.custom_id(label))

    async def send_custom(self, message: dict[str, Any], custom_id: str) -> Interaction:
        """Presses a button by its id, whether it is there any more or not."""
        channel = self.peer.channel_of(int(message["channel_id"]))
        data = {"component_type": 2, "custom_id": custom_id}
        return await self.peer.interact(PRESS, self.user, channel, data, message=message)

    async def open_menu(self, name: str, target: User | dict[str, Any]) -> dict[str, Any]:
        """Opens the menu `name` on a member or a message; answers the form that comes."""
        if isinstance(target, User):
            data: dict[str, Any] = {"type": 2, "target_id": str(target.id), "resolved": self._people([target])}
        else:
            data = {"type": 3, "target_id": target["id"], "resolved": {"messages": {target["id"]: target}}}
        interaction = await self.peer.interact(COMMAND, self.user, self.channel, {"id": "1", "name": name, **data})
        await self._answered(interaction)
        assert interaction.form is not None, interaction.seen
        return interaction.form

    async def fill_in(self, form: dict[str, Any], **values: str | list[User]) -> Seen:
        """Sends a form back, with what it was opened with where nothing else is said."""
        components = []
        people: list[User] = []
        for number, label in enumerate(form["components"]):
            field = label["component"]
            given = values.get(field["custom_id"])
            told: dict[str, Any] = {"type": field["type"], "custom_id": field["custom_id"], "id": number}
            if field["type"] == 5:
                chosen = given if isinstance(given, list) else [self.peer.users[int(field["default_values"][0]["id"])]]
                people += chosen
                told["values"] = [str(user.id) for user in chosen]
            elif field["type"] == 3:
                told["values"] = [given or field["options"][0]["value"]]
            else:
                told["value"] = given or ""
            components.append({"type": 18, "id": 100 + number, "component": told})
        data = {"custom_id": form["custom_id"], "components": components, "resolved": self._people(people)}
        return await self.sees(await self.peer.interact(FORM, self.user, self.channel, data))

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        return await self.peer.say(self.user, self.channel, text, **more)

    async def reacts(self, message: dict[str, Any], emoji: str, /, **more: Any) -> None:
        """Puts an emoji under a message. Only who asked for reactions is told of it."""
        told = {
            "user_id": str(self.user.id),
            "channel_id": message["channel_id"],
            "message_id": message["id"],
            "guild_id": str(self.guild.id),
            "member": self.guild.members[self.user.id].payload(),
            "message_author_id": message["author"]["id"],
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        await self.peer.gateway.tell("MESSAGE_REACTION_ADD", told | more, self.guild.id, intent=REACTIONS)

    # --- seeing -----------------------------------------------------------------------------------------------------

    async def sees(self, interaction: Interaction) -> Seen:
        """What came of it, once something did."""
        await self._answered(interaction)
        assert interaction.seen, (interaction.payload["data"], self.peer.problems)
        return Seen(self.peer, interaction.seen[-1], self.guild)

    async def _answered(self, interaction: Interaction) -> None:
        await self.peer.until(lambda: interaction.answered.is_set() or bool(self.peer.problems))
        assert not self.peer.problems, self.peer.problems

    # --- payloads ---------------------------------------------------------------------------------------------------

    def command_data(self, command: str, options: dict[str, Value], *, focused: str | None = None) -> dict[str, Any]:
        """A command as Discord tells of it, its options typed as the bot declared them."""
        first, _, second = command.partition(" ")
        declared = next(each for each in self.peer.commands if each["name"] == first and each["type"] == 1)
        if second:
            inner = next(each for each in declared["options"] if each["name"] == second)
            told = self._told(inner.get("options") or [], options, focused)
            given = [{"type": 1, "name": second, "options": told}]
        else:
            given = self._told(declared.get("options") or [], options, focused)
        data = {"id": declared["id"], "name": first, "type": 1, "options": given}
        return data | {"resolved": self._resolved(list(options.values()))}

    def _told(
        self, declared: list[dict[str, Any]], options: dict[str, Value], focused: str | None
    ) -> list[dict[str, Any]]:
        types = {each["name"]: each["type"] for each in declared}
        told = []
        for name, value in options.items():
            plain: Any = value["id"] if isinstance(value, dict) else value
            if isinstance(value, User | Role | Channel):
                plain = str(value.id)
            entry = {"name": name, "type": types[name], "value": plain}
            told.append(entry | ({"focused": True} if name == focused else {}))
        if focused is None:
            missing = [each["name"] for each in declared if each.get("required") and each["name"] not in options]
            assert not missing, f"Discord lets nobody leave out {missing}"
        return told

    def _resolved(self, values: list[Value]) -> dict[str, Any]:
        found: dict[str, Any] = self._people([value for value in values if isinstance(value, User)])
        for value in values:
            match value:
                case Role():
                    found.setdefault("roles", {})[str(value.id)] = value.payload()
                case Channel():
                    found.setdefault("channels", {})[str(value.id)] = value.payload()
                case dict():
                    found.setdefault("attachments", {})[value["id"]] = value
                case _:
                    pass
        return found

    def _people(self, users: list[User]) -> dict[str, Any]:
        """People as Discord resolves them: members with what they are on the server."""
        found: dict[str, Any] = {}
        for user in users:
            found.setdefault("users", {})[str(user.id)] = user.payload()
            if user.id in self.guild.members:
                member = self.guild.members[user.id].payload(with_user=False)
                found.setdefault("members", {})[str(user.id)] = member | {"permissions": "0"}
        return found


class Seen:
    """A message as its readers see it."""

    def __init__(self, peer: Peer, message: dict[str, Any], guild: Guild) -> None:
        self.message = message
        self._peer = peer
        self._guild = guild

    @property
    def lines(self) -> list[str]:
        return lines_of(self.message, self._name_of)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def labels(self) -> list[str]:
        return labels_of(self.message)

    @property
    def is_private(self) -> bool:
        return bool(self.message["flags"] & EPHEMERAL)

    @property
    def pinged(self) -> list[int]:
        return list(self.message.get("pinged") or ())

    def custom_id(self, label: str) -> str:
        for each in nested(self.message["components"]):
            if each["type"] == 2 and each["label"].casefold() == label.casefold():
                return str(each["custom_id"])
        raise AssertionError(f"there is no button {label!r} but {self.labels}")

    def _name_of(self, user_id: int) -> str:
        member = self._guild.members.get(user_id)
        # Discord shows a mention as it is, whatever stands in it.
        return isolated(inert((member.nick if member else None) or self._peer.users[user_id].name))
