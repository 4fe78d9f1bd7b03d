"""The message tree, the messages for a model, titles and search folding."""

import random
import time
import unicodedata

import pytest

from webapp.chat import ImagePart, ModelMessage, ModelRequest, TextPart, estimate_input_tokens
from webapp.conversation import (
    MAX_REQUEST_IMAGES,
    MAX_TITLE_CHARS,
    BrokenTree,
    ImageRef,
    Message,
    branch_messages,
    find_branch,
    find_newest_leaf,
    fold,
    from_first_question,
    make_title,
    sort_parents_first,
    to_one_line,
    trim,
)

TREE = [("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", None), ("f", "d")]


# The tree.


@pytest.mark.parametrize(
    ("leaf", "names"), [("c", "abc"), ("f", "adf"), ("a", "a"), ("e", "e"), ("x", ""), (None, "")]
)
def test_a_branch_goes_from_its_root_to_its_leaf(leaf: str | None, names: str) -> None:
    assert find_branch(dict(TREE), leaf) == list(names)


def test_a_branch_ends_at_a_missing_parent_or_a_cycle() -> None:
    assert find_branch({"b": "gone", "c": "b"}, "c") == ["b", "c"]
    assert sorted(find_branch({"a": "b", "b": "a"}, "a")) == ["a", "b"]


@pytest.mark.parametrize(("start", "leaf"), [("a", "f"), ("b", "c"), ("e", "e"), ("c", "c")])
def test_the_newest_leaf_is_the_end_of_the_newest_children(start: str, leaf: str) -> None:
    assert find_newest_leaf(TREE, start) == leaf


def test_a_cycle_of_children_ends() -> None:
    assert find_newest_leaf([("a", "b"), ("b", "a")], "a") == "b"


def test_parents_come_before_their_children(dice: random.Random) -> None:
    for _ in range(200):
        nodes: list[tuple[str, str | None]] = [("0", None)]
        for number in range(1, 30):
            nodes.append((str(number), dice.choice([*[name for name, _ in nodes], None])))
        dice.shuffle(nodes)
        order = sort_parents_first(nodes)
        assert sorted(order) == list(range(30))
        visited: set[str | None] = {None}
        for index in order:
            assert nodes[index][1] in visited
            visited.add(nodes[index][0])


def test_sorted_nodes_keep_their_order() -> None:
    assert sort_parents_first(TREE) == list(range(len(TREE)))


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
def test_a_broken_tree_is_reported_by_index_and_field(
    nodes: list[tuple[str, str | None]], index: int, field: str
) -> None:
    with pytest.raises(BrokenTree) as broken:
        sort_parents_first(nodes)
    assert (broken.value.index, broken.value.field) == (index, field)


def test_a_very_deep_tree_needs_no_recursion() -> None:
    nodes = [(str(number), str(number - 1) if number else None) for number in range(50_000)]
    assert sort_parents_first(nodes[::-1]) == list(range(49_999, -1, -1))


# The model's messages.


def message(role: str, *content: TextPart | ImageRef, **more: object) -> Message:
    return Message(id="x", parent=None, role=role, content=content, created_at=1, **more)  # type: ignore[arg-type]


def image(name: str) -> ImageRef:
    return ImageRef(image=name, media_type="image/png")


def test_a_branch_is_converted_to_model_messages() -> None:
    stored = [
        message("user", TextPart("Look"), image("i")),
        message("assistant", state="failed"),
        message("user", TextPart("Well?")),
        message("assistant", TextPart("Half"), state="interrupted"),
    ]
    assert branch_messages(stored, {"i": "AAAA"}) == [
        ModelMessage("user", (TextPart("Look"), ImagePart(media_type="image/png", data="AAAA"))),
        ModelMessage.user("Well?"),
        ModelMessage.assistant("Half"),
    ]


def test_reasoning_of_earlier_answers_is_not_sent_back() -> None:
    stored = [
        message("user", TextPart("Hi")),
        message("assistant", TextPart("Hello"), reasoning="They greet me.", model="claude-opus-5-5"),
    ]
    assert branch_messages(stored, {}) == [ModelMessage.user("Hi"), ModelMessage.assistant("Hello")]


def test_without_image_support_a_text_replaces_images() -> None:
    (only,) = branch_messages(
        [message("user", TextPart("Look"), image("i"))], {"i": "AAAA"}, accepts_images=False
    )
    assert isinstance(only.content, str)
    assert only.content.startswith("Look\n[an image")
    assert branch_messages([message("user", image("lost"))], {})[0].text.startswith("[an image")


def test_only_the_newest_images_are_included() -> None:
    stored = [message("user", image(str(number))) for number in range(MAX_REQUEST_IMAGES + 2)]
    found = branch_messages(stored, {str(number): str(number) for number in range(MAX_REQUEST_IMAGES + 2)})
    shown = [
        part.data for found_message in found for part in found_message.parts if isinstance(part, ImagePart)
    ]
    assert shown == [str(number) for number in range(2, MAX_REQUEST_IMAGES + 2)]


def turns(count: int, size: int = 40) -> list[ModelMessage]:
    found = []
    for number in range(count):
        found += [ModelMessage.user(f"{number} " + "q" * size), ModelMessage.assistant("a" * size)]
    return [*found, ModelMessage.user("the question")]


def tokens(messages: list[ModelMessage]) -> int:
    return estimate_input_tokens(ModelRequest(messages=messages))


def test_messages_that_fit_are_not_trimmed() -> None:
    messages = [ModelMessage.system("s"), *turns(5)]
    assert trim(messages, None) == messages
    assert trim(messages, tokens(messages)) == messages


def test_the_oldest_turns_are_dropped_first_and_whole() -> None:
    messages = [ModelMessage.system("Be brief."), *turns(5)]
    for max_tokens in range(tokens(messages) + 5):
        trimmed = trim(messages, max_tokens)
        assert trimmed[0] == messages[0]
        assert trimmed[1:] == messages[len(messages) - len(trimmed) + 1 :], "the newest messages"
        assert trimmed[1].role == "user"
        assert tokens(trimmed) <= max_tokens or len(trimmed) == 2
        if len(trimmed) < len(messages):
            more = [messages[0], *messages[len(messages) - len(trimmed) - 1 :]]
            assert tokens(more) > max_tokens, "one more turn would not fit"


def test_the_question_always_stays() -> None:
    messages = [*turns(3), ModelMessage.user("x" * 10_000)]
    assert trim(messages, 10)[-1] == messages[-1]
    assert trim([ModelMessage.system("s")], 10) == [ModelMessage.system("s")]


@pytest.mark.parametrize(
    ("roles", "kept"), [("auau", 3), ("uaua", 4), ("aau", 1), ("aaa", 0), ("", 0), ("u", 1)]
)
def test_n30_a_window_begins_with_a_question(roles: str, kept: int) -> None:
    found = [message("user" if role == "u" else "assistant", TextPart("x")) for role in roles]
    assert from_first_question(found) == found[len(found) - kept :]


def test_a_greeting_follows_a_placeholder_because_strict_models_refuse_to_begin_with_an_answer() -> None:
    greeting = message("assistant", TextPart("Hello, how can I help?"))
    question = message("user", TextPart("With this."))
    found = branch_messages([greeting, question], {})
    assert [(one.role, one.text) for one in found] == [
        ("user", "…"),
        ("assistant", "Hello, how can I help?"),
        ("user", "With this."),
    ]
    assert trim(found, 1)[-1].text == "With this."


def test_consecutive_questions_are_one_turn() -> None:
    messages = [ModelMessage.user("a" * 40), ModelMessage.user("b" * 40), ModelMessage.assistant("c" * 40)]
    last = [ModelMessage.user("d")]
    assert trim([*messages, *last], tokens([*messages[1:], *last])) == last


# Text.


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
    result = make_title(text)
    assert len(result) <= MAX_TITLE_CHARS
    if title is None:
        assert result == "a sentence that ends, with a comma right where it would be cut if nobody looked…"
    else:
        assert result == title


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("Zoë", "zoe"), ("ﬁne", "fine"), ("Å", "a\u030a"), ("ABC", "abc"), ("İ", "i")],
)
def test_a_search_folds_case_accents_and_forms(one: str, other: str) -> None:
    assert fold(one) == fold(other)
    assert to_one_line(fold(one)) == fold(one)


def test_folding_by_letter_equals_folding_whole_texts() -> None:
    """Normalizing a whole text takes quadratic time in a long run of combining marks."""

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


def test_folding_marks_takes_linear_time() -> None:
    """Eight times the marks may take about 8 times as long; normalizing them together takes 64 times as long."""

    def measure_s(count: int) -> float:
        text, times = "a" + "\u0315" * count + "\u0300" * count, []
        for _ in range(3):
            began = time.thread_time()
            fold(text)
            times.append(time.thread_time() - began)
        return min(times)

    assert measure_s(8 * 5_000) < 24 * measure_s(5_000) + 0.01
