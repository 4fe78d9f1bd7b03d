"""Messages as strict models accept them."""

from webapp.chat import ImagePart, ModelMessage, TextPart
from webapp.providers.turns import fold_system, merge_turns

IMAGE = ImagePart(media_type="image/png", data="aa")


def test_n20_neighbours_of_the_same_role_are_merged() -> None:
    messages = [
        ModelMessage.system("Be brief."),
        ModelMessage.system("In French."),
        ModelMessage.user("one"),
        ModelMessage.user([TextPart("two"), IMAGE]),
        ModelMessage.assistant(""),
        ModelMessage.user("three"),
        ModelMessage.assistant("a"),
        ModelMessage.assistant("b"),
    ]
    assert merge_turns(messages) == [
        ModelMessage.system("Be brief.\n\nIn French."),
        ModelMessage.user([TextPart("one"), TextPart("two"), IMAGE, TextPart("three")]),
        ModelMessage.assistant("a\n\nb"),
    ]


def test_n20_messages_that_alternate_stay_as_they_are() -> None:
    messages = [ModelMessage.user("one"), ModelMessage.assistant("a"), ModelMessage.user([IMAGE])]
    assert merge_turns(messages) == messages


def test_n19_a_system_text_moves_into_the_first_question() -> None:
    turns = [ModelMessage.user("one"), ModelMessage.assistant("a"), ModelMessage.user("two")]
    folded = fold_system([ModelMessage.system("Be brief."), *turns])
    assert folded == [ModelMessage.user("Be brief.\n\none"), *turns[1:]]
    assert fold_system(turns) == turns
