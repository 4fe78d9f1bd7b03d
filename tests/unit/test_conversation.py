"""The message tree, what of it a model is told, and the words that are made of it."""

import random
import time
import unicodedata

import pytest

from webapp.chat import ImagePart, ModelMessage, ModelRequest, TextPart, estimate_input_tokens
from webapp.conversation import (
    MOST_IMAGES_TOLD,
    MOST_TITLE_CHARS,
    BrokenTree,
    ImageRef,
    Message,
    branch,
    branch_messages,
    fold,
    in_order,
    leaf_below,
    plain,
    title_of,
    trim,
)

TREE = [("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", None), ("f", "d")]


# The tree.


@pytest.mark.parametrize(
    ("leaf", "names"), [("c", "abc"), ("f", "adf"), ("a", "a"), ("e", "e"), ("x", ""), (None, "")]
)
def test_a_branch_leads_from_its_root_to_its_leaf(leaf: str | None, names: str) -> None:
    assert branch(dict(TREE), leaf) == list(names)


def test_a_branch_ends_where_a_parent_is_missing_or_comes_again() -> None:
    assert branch({"b": "gone", "c": "b"}, "c") == ["b", "c"]
    assert sorted(branch({"a": "b", "b": "a"}, "a")) == ["a", "b"]


@pytest.mark.parametrize(("start", "leaf"), [("a", "f"), ("b", "c"), ("e", "e"), ("c", "c")])
def test_the_leaf_below_is_the_end_of_the_newest_branch(start: str, leaf: str) -> None:
    assert leaf_below(TREE, start) == leaf


def test_a_circle_below_ends() -> None:
    assert leaf_below([("a", "b"), ("b", "a")], "a") == "b"


def test_parents_come_before_their_children_whatever_the_order(dice: random.Random) -> None:
    for _ in range(200):
        nodes: list[tuple[str, str | None]] = [("0", None)]
        for number in range(1, 30):
            nodes.append((str(number), dice.choice([*[name for name, _ in nodes], None])))
        dice.shuffle(nodes)
        order = in_order(nodes)
        assert sorted(order) == list(range(30))
        seen: set[str | None] = {None}
        for index in order:
            assert nodes[index][1] in seen
            seen.add(nodes[index][0])


def test_what_is_in_order_stays_as_it_stands() -> None:
    assert in_order(TREE) == list(range(len(TREE)))


@pytest.mark.parametrize(
    ("nodes", "index", "field"),
    [
        ([("a", None), ("a", None)], 1, "id"),
        ([("a", "x")], 0, "parent"),
        ([("a", None), ("b", "x")], 1, "parent"),
        ([("a", "a")], 0, "parent"),
        ([("r", None), ("a", "c"), ("b", "a"), ("c", "b")], 1, "parent"),
    ],
)
def test_what_is_no_tree(nodes: list[tuple[str, str | None]], index: int, field: str) -> None:
    with pytest.raises(BrokenTree) as broken:
        in_order(nodes)
    assert (broken.value.index, broken.value.field) == (index, field)


def test_a_very_deep_tree_needs_no_recursion() -> None:
    nodes = [(str(number), str(number - 1) if number else None) for number in range(50_000)]
    assert in_order(nodes[::-1]) == list(range(49_999, -1, -1))


# What the model is told.


def message(role: str, *content: TextPart | ImageRef, **more: object) -> Message:
    return Message(id="x", parent=None, role=role, content=content, created_at=1, **more)  # type: ignore[arg-type]


def image(name: str) -> ImageRef:
    return ImageRef(image=name, media_type="image/png")


def test_a_branch_is_told_in_the_model_s_terms() -> None:
    kept = [
        message("user", TextPart("Look"), image("i")),
        message("assistant", state="failed"),
        message("user", TextPart("Well?")),
        message("assistant", TextPart("Half"), state="interrupted"),
    ]
    assert branch_messages(kept, {"i": "AAAA"}) == [
        ModelMessage("user", (TextPart("Look"), ImagePart(media_type="image/png", data="AAAA"))),
        ModelMessage.user("Well?"),
        ModelMessage.assistant("Half"),
    ]


def test_a_model_that_does_not_see_is_told_in_words() -> None:
    (only,) = branch_messages([message("user", TextPart("Look"), image("i"))], {"i": "AAAA"}, sees=False)
    assert isinstance(only.content, str)
    assert only.content.startswith("Look\n[an image")
    assert branch_messages([message("user", image("lost"))], {})[0].text.startswith("[an image")


def test_only_the_newest_images_are_told() -> None:
    kept = [message("user", image(str(number))) for number in range(MOST_IMAGES_TOLD + 2)]
    found = branch_messages(kept, {str(number): str(number) for number in range(MOST_IMAGES_TOLD + 2)})
    shown = [part.data for one in found for part in one.parts if isinstance(part, ImagePart)]
    assert shown == [str(number) for number in range(2, MOST_IMAGES_TOLD + 2)]


def turns(count: int, size: int = 40) -> list[ModelMessage]:
    found = []
    for number in range(count):
        found += [ModelMessage.user(f"{number} " + "q" * size), ModelMessage.assistant("a" * size)]
    return [*found, ModelMessage.user("the question")]


def tokens(messages: list[ModelMessage]) -> int:
    return estimate_input_tokens(ModelRequest(messages=messages))


def test_what_fits_is_not_trimmed() -> None:
    messages = [ModelMessage.system("s"), *turns(5)]
    assert trim(messages, None) == messages
    assert trim(messages, tokens(messages)) == messages


def test_the_oldest_turns_go_first_and_whole() -> None:
    messages = [ModelMessage.system("Be brief."), *turns(5)]
    for room in range(tokens(messages) + 5):
        kept = trim(messages, room)
        assert kept[0] == messages[0]
        assert kept[1:] == messages[len(messages) - len(kept) + 1 :], "the end of what there was"
        assert kept[1].role == "user"
        assert tokens(kept) <= room or len(kept) == 2
        if len(kept) < len(messages):
            more = [messages[0], *messages[len(messages) - len(kept) - 1 :]]
            assert tokens(more) > room, "one turn more would have been too much"


def test_the_question_is_kept_whatever_its_size() -> None:
    messages = [*turns(3), ModelMessage.user("x" * 10_000)]
    assert trim(messages, 10)[-1] == messages[-1]
    assert trim([ModelMessage.system("s")], 10) == [ModelMessage.system("s")]


def test_questions_that_follow_each_other_are_one_turn() -> None:
    messages = [ModelMessage.user("a" * 40), ModelMessage.user("b" * 40), ModelMessage.assistant("c" * 40)]
    last = [ModelMessage.user("d")]
    assert trim([*messages, *last], tokens([*messages[1:], *last])) == last


# Words.


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("  two\n lines\t", "two lines"),
        ("nul \x00 bell \x07", "nul bell"),
        ("turned \u202e round", "turned round"),
        ("", ""),
        ("word " * 40, ("word " * 15 + "word").strip() + "…"),
        ("x" * 200, "x" * 79 + "…"),
        ("a sentence that ends, with a comma right where it would be cut if nobody looked after, it", None),
        ("x" * 80, "x" * 80),
        ("你" * 100, "你" * 79 + "…"),
        ("y" * 1_000_000, "y" * 79 + "…"),
    ],
)
def test_a_title_is_one_line_cut_at_a_word(text: str, title: str | None) -> None:
    made = title_of(text)
    assert len(made) <= MOST_TITLE_CHARS
    if title is None:
        assert made == "a sentence that ends, with a comma right where it would be cut if nobody looked…"
    else:
        assert made == title


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("Zoë", "zoe"), ("ﬁne", "fine"), ("Å", "a\u030a"), ("ABC", "abc"), ("İ", "i")],
)
def test_a_search_folds_case_accents_and_forms(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert plain(fold(one)) == fold(one)


def test_folding_is_the_same_letter_by_letter() -> None:
    """Whole texts took quadratic time where many marks stand in a row."""

    def whole(text: str) -> str:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        return "".join(char for char in decomposed if not unicodedata.combining(char))

    for text in (
        "Zo\u00eb STRASSE \u00df \u0130stanbul",
        "\uac00\ub098",
        "\ufb01n \u2460 \uff21",
        "a\u0315\u0300b",
        "\ufdfa",
    ):
        assert fold(text) == whole(text)


def test_folding_marks_takes_time_as_their_number() -> None:
    def cost_s(count: int) -> float:
        text = "a" + "\u0315" * count + "\u0300" * count
        began = time.process_time()
        fold(text)
        return time.process_time() - began

    cost_s(100)
    assert cost_s(50_000) < 0.5
