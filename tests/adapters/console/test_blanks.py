"""Words that a script cannot know beforehand."""

from adapters.console.blanks import Blanks


def test_a_blank_takes_one_word_and_stands_for_it_after_that():
    blanks = Blanks()
    assert blanks.filled("/join {code}") == "/join {code}"
    told = ["The code is 12-AB.", "Say: /join 12-AB"]
    assert blanks.expected(["The code is {code}.", "Say: /join {code}"], told) == told
    assert blanks.filled("/join {code}") == "/join 12-AB"
    assert blanks.expected(["It was {code}, {other}"], ["It was 99-ZZ, it seems"]) == ["It was 12-AB, {other}"]


def test_a_blank_that_is_in_a_line_twice_is_the_same_word():
    assert Blanks().expected(["{a} and {a}"], ["x and y"]) == ["{a} and {a}"]
    assert Blanks().expected(["{a} and {a}"], ["x and x"]) == ["x and x"]


def test_braces_that_are_no_blank_are_what_they_are():
    assert Blanks().expected(["{} {A} {a b}"], ["{} {A} {a b}"]) == ["{} {A} {a b}"]
