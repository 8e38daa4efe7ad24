"""The console's people and places."""

from adapters.console.world import World
from economy.service import Place


def test_people_keep_the_name_that_was_first_written() -> None:
    world = World()
    world.arrive("Ana")
    person = world.arrive("ANA")
    assert (person.name, person.identity.native_id) == ("Ana", "ana")
    assert [each.name for each in world.people] == ["Ana"]


def test_nothing_that_a_database_refuses_gets_into_an_id() -> None:
    """Fault 16."""
    world = World()
    assert world.person("a\x00b\ud800").identity.native_id == "a%0000b%d800"
    assert world.move("x\x00").native_id == "x%0000"


def test_who_left_is_present_again_once_they_speak() -> None:
    world = World()
    bo = world.depart("bo")
    assert world.sighting(bo, world.place).present is False
    assert world.sighting(world.arrive("bo"), world.place).present is True


def test_people_leave_one_place_and_not_another() -> None:
    world = World()
    lobby = world.place
    bo = world.depart("bo")
    cafe = world.move("cafe")
    assert (world.sighting(bo, lobby).present, world.sighting(bo, cafe).present) == (False, True)
    assert world.places == [lobby, cafe] == [Place("console", "lobby"), Place("console", "cafe")]


def test_who_writes_in_private_means_where_they_last_were() -> None:
    world = World()
    lobby = world.place
    ana = world.arrive("ana")
    cafe = world.move("cafe")
    assert world.place_of(ana) == lobby
    assert world.place_of(world.person("new")) == cafe
