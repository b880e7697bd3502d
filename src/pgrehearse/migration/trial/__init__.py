"""Tests of the migrations themselves, on databases made for it.

tried      what was tried, and what came of it
roundtrip  each migration up, down and up again
release    the migrations of an earlier commit, and its database upgraded
dbmate     the real dbmate as a second opinion
trials     all of it on one server
"""
