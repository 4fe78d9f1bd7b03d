"""Rankings are joined by the places in them."""

from webapp.search.ranking import fuse


def test_what_several_rankings_agree_on_comes_first() -> None:
    joined = fuse([["a", "b", "c"], ["b", "d"]])
    assert [item for item, _ in joined] == ["b", "a", "d", "c"]
    assert all(0 < score <= 1 for _, score in joined)


def test_one_ranking_keeps_its_order() -> None:
    assert fuse([["a", "b"]])[0] == ("a", 1.0)
    assert [item for item, _ in fuse([["b", "a"]])] == ["b", "a"]
    assert fuse([]) == []
