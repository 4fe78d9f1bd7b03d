"""Turns texts and queries into the words that are compared: the same for every database, and for every language.

Case, accents and compatibility forms make no difference. Scripts that are written without spaces become overlapping pairs of
characters, as Lucene's CJKBigramFilter does
(https://lucene.apache.org/core/9_12_0/analysis/common/org/apache/lucene/analysis/cjk/CJKBigramFilter.html).
Words of a language with a stemmer are joined by their stem (https://snowballstem.org/).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

import Stemmer

from webapp.conversation import fold

MAX_WORD_CHARS = 64
_REPEATED_CHARS = 40  # longer words, and lines of a script without spaces, hardly come twice
_MAX_REMEMBERED = 100_000  # words of a language with their forms, about 20 MB
_STEMMERS = {"en": "english", "de": "german", "fr": "french", "es": "spanish", "ar": "arabic"}
# Chinese, Japanese and Korean (whose particles are written together with the word), Thai, Lao, Burmese and Khmer.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
# Names in code: "readFile" and "HTTPServer" are found by their parts.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HAS_PARTS = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]|[A-Za-z]\d")
# Without a character of these, which are marks and all scripts but Latin ones, words are found five times as fast.
_IS_RARER = re.compile(r"[^\0-\u02ff\u2000-\u206f]")
# Splitting at blanks is five times as fast as searching for words.
_ASCII_BLANKS = {code: " " for code in range(128) if not chr(code).isalnum()}
_PLAIN_WORD = re.compile(r"[^\W_]+")


def index_words(text: str, language: str) -> str:
    """Return the words of a text, separated by blanks: each as it is written, folded, and its stem beside it if that differs.

    `language` is one of `detect_language`; without a stemmer for it words are only compared as they are.
    """
    return " ".join(map(_remembered(language).__getitem__, _split(text)))


def query_words(query: str, languages: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the words of a query without repetitions; for each the forms that an index may have, the written one first."""
    known = list(languages)
    found = dict.fromkeys(part for word in _split(query) for part in _parts(word))
    return [tuple(dict.fromkeys((word, *(_stem(word, language) for language in known)))) for word in found]


def _split(text: str) -> list[str]:
    if text.isascii():
        return text.translate(_ASCII_BLANKS).split()
    pattern = _word_pattern() if _IS_RARER.search(text) else _PLAIN_WORD
    words: list[str] = pattern.findall(text)
    return words


def _indexed(word: str, language: str) -> str:
    if (
        word.isascii()
        and len(word) <= MAX_WORD_CHARS
        and (word.islower() or (word.isalpha() and word.istitle()))
    ):
        return _with_stem(word.lower(), language)  # has no parts
    if _IS_UNSPACED.match(word):
        return " ".join(_parts(word))
    return " ".join([_with_stem(part, language) for part in _parts(word)])


def _with_stem(word: str, language: str) -> str:
    stem = _stem(word, language)
    return word if stem == word else f"{word} {stem}"


class _Remembered(dict[str, str]):
    """What an index has for each word of a language. A text has few words that are not in it: none is looked up by code of Python's."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> str:
        indexed = _indexed(word, self._language)
        if len(word) <= _REPEATED_CHARS:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            self[word] = indexed
        return indexed


_remembered = cache(_Remembered)


def _parts(word: str) -> list[str]:
    """Return what is compared of a word: the pairs of its characters, or the folded word and, of a name in code, its parts."""
    if _IS_UNSPACED.match(word):
        folded = unicodedata.normalize("NFKC", word).casefold()
        return [folded] if len(folded) == 1 else [folded[at : at + 2] for at in range(len(folded) - 1)]
    word = word[: 2 * MAX_WORD_CHARS]
    folded = fold(word)[:MAX_WORD_CHARS]
    names = [] if word.islower() or not _HAS_PARTS.search(word) else _PARTS.findall(word)
    return [*([folded] if folded else []), *map(str.lower, names)]


@lru_cache(maxsize=50_000)  # a word comes with capitals, too
def _stem(word: str, language: str) -> str:
    stem_word = _stemmer(language)
    return word if stem_word is None or word.isdigit() else stem_word(word)


@cache
def _stemmer(language: str) -> Callable[[str], str] | None:
    name = _STEMMERS.get(language)
    if name is None:
        return None
    stem_word: Callable[[str], str] = Stemmer.Stemmer(name, 0).stemWord  # without its cache: `_stem` has one
    return stem_word


@cache
def _word_pattern() -> re.Pattern[str]:
    """Return the pattern of a word: letters, digits and the marks that belong to them, such as vowel signs, which `\\w` lacks."""
    marks = "".join(char for char in map(chr, range(0x20000)) if unicodedata.category(char)[0] == "M")
    letters = rf"[^\W_{_UNSPACED}]"
    return re.compile(rf"[{_UNSPACED}]+|{letters}(?:{letters}|(?![{_UNSPACED}])[{re.escape(marks)}])*")
