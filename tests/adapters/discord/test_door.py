"""The door at a Discord in tests, over the wire."""


async def test_a_tip_is_told_in_the_channel(town) -> None:
    seen = await town.person("bo").use("tip", to=town.user("cy"), amount="50")
    assert seen.text == "bo tipped cy 50 coins."
    assert not seen.is_private
    assert seen.pinged == [town.user("cy").id]
