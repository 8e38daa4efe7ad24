"""A small community to try things in."""

from __future__ import annotations

SPEAKER = "ana"
"""Who speaks first, in the example and elsewhere."""

EXAMPLE = """\
! owner ana
! moderator mo
! creator cleo
! join bo
! join cy
mo> /coins add @ana 1,000 to try things with
mo> /coins add @bo 500 to try things with
mo> /coins add @cy 500 to try things with
bo> /tip @cy 20 for the map
cy> /gift rose @cleo
"""
"""A script that sets it up. Whoever reads it sees how a community begins."""

INTRODUCTION = """\
Here they are: ana owns the community, mo moderates, cleo is a creator, and bo and cy are members. ana, bo and cy have
some coins. You speak as ana, and with /as NAME as any of them, or as somebody new.

Try these: /balance, /tip @bo 50, /undo, /gifts, /gift bouquet @cleo, /top
"""
