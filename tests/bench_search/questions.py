"""The questions, each with the document that answers it and words of the passage that does; and what makes one fair.

They were written while reading passages that chance had chosen, as somebody asks who does not remember the wording, and before
anything was measured with them. A question shares under half of its content words with the passage: it cannot be copied from it.
The later ones are of passages of other documents, written when the ranking had been improved by what the first ones had shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench_search.corpus import title_of
from webapp.search.words import query_words

FILE = Path(__file__).with_name("questions.json")
MOST_SHARED = 0.5
_EMPTY_WORDS = """
a about according after all an and any anything are as at be because been before being but by can could did
do does each for from had has have he her him himself his how i if in into is it its itself like many may
might more most much must no not of off on only or other our out over s shall she should so such t than that
the their them themselves there these they this those to under until up us was we were what when where which
while who whom whose why will with without would you your
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question. `quotation` is of the text of `document`, and once only; the passage that has its middle answers the question."""

    question: str
    document: str
    quotation: str
    is_later: bool = False

    def place_in(self, text: str) -> int:
        """Return the offset of the quotation's middle."""
        return text.index(self.quotation) + len(self.quotation) // 2


def load() -> list[Question]:
    """Return all questions."""
    return [Question(**each) for each in json.loads(FILE.read_text())]


def content_words(text: str) -> list[tuple[str, ...]]:
    """Return the words of a text that say what it is about, each with its stem."""
    return [forms for forms in query_words(text, ["en"]) if forms[0] not in _EMPTY]


def shared_share(question: Question, passage: str) -> float:
    """Return the share of a question's content words that a passage has, or the name of its document: compared by their stems."""
    asked = content_words(question.question)
    known = {
        form for forms in query_words(f"{title_of(question.document)}\n{passage}", ["en"]) for form in forms
    }
    return sum(not known.isdisjoint(forms) for forms in asked) / max(1, len(asked))


def faults(
    questions: list[Question], passages: Mapping[str, list[tuple[int, str]]], texts: Mapping[str, str]
) -> list[str]:
    """Return what is wrong with questions; `passages` are those of each document, with the offsets where they begin."""
    found = []
    for each in questions:
        if texts.get(each.document, "").count(each.quotation) != 1:
            found.append(f"not once in {each.document}: {each.quotation}")
            continue
        at = each.place_in(texts[each.document])
        answers = [text for start, text in passages[each.document] if start <= at < start + len(text)]
        if not answers:
            found.append(f"no passage has it: {each.quotation}")
        elif max(shared_share(each, text) for text in answers) >= MOST_SHARED:
            found.append(f"shares half of its words with its answer: {each.question}")
    return found
