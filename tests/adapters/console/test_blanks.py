"""Words that a script cannot know beforehand."""

from adapters.console.blanks import Blanks


def test_a_blank_stands_for_the_word_that_was_answered():
    blanks = Blanks()
    assert blanks.expected(["Your code is {code}."], ["Your code is AB-CD."]) == ["Your code is AB-CD."]
    assert blanks.filled("/connect {code}") == "/connect AB-CD"
    assert blanks.expected(["Say {code} twice: {code}"], ["Say AB-CD twice: XX"]) == ["Say AB-CD twice: AB-CD"]


def test_a_blank_that_fits_nothing_stays_as_it_is():
    blanks = Blanks()
    assert blanks.expected(["It is {word} and {word}."], ["It is one and two."]) == ["It is {word} and {word}."]
    assert blanks.filled("{word}") == "{word}"
