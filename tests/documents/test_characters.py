"""Text files in older encodings."""

import pytest

from tests.documents.test_plain import read

TEXTS = {
    "French": ("Le café où l'été passe est fermé à Noël; les élèves y étaient déjà allés.", "latin-1"),
    "German": ("Die Grüße der Bürgermeisterin an die Straßenbahnfahrer.", "cp1252"),
    "Spanish": ("El niño comió una manzana por la mañana y el camión llegó después.", "latin-1"),
    "one word": ("café", "latin-1"),
    "quotes": ("“Quoted” – with a dash, and it’s € 5.", "cp1252"),
    "Polish": ("Zażółć gęślą jaźń, powiedziała królowa śniegu do swoich wiernych żołnierzy.", "cp1250"),
    "Polish in ISO 8859": ("Zażółć gęślą jaźń, powiedziała królowa śniegu do swoich żołnierzy.", "iso8859-2"),
    "Czech": ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "cp1250"),
    "Czech in ISO 8859": ("Příliš žluťoučký kůň úpěl ďábelské ódy, a šel k řece.", "iso8859-2"),
    "Hungarian": ("Az öreg folyó lassan hömpölyög a régi város mellett.", "cp1250"),
    "Hebrew": ("הנהר זורם לאט לאורך העיר העתיקה ואנשים יושבים על הגדה כל הערב.", "cp1255"),
    "Russian in KOI8": ("Река течёт медленно мимо старого города, и люди сидят на берегу.", "koi8-r"),
    "Russian": ("Река течёт медленно мимо старого города, и люди сидят на берегу весь вечер.", "cp1251"),
    "Russian in English": ("The word река is a river. " * 20 + "Река течёт медленно мимо города.", "cp1251"),
    "Greek": ("Το ποτάμι κυλά αργά δίπλα στην παλιά πόλη και οι άνθρωποι κάθονται.", "cp1253"),
    "Arabic": ("يجري النهر ببطء عبر المدينة القديمة ويجلس الناس على الضفة طوال المساء.", "cp1256"),
    "Japanese": ("川は古い町のそばをゆっくり流れ、人々は一日中岸辺に座っています。", "shift_jis"),
    "Chinese": ("河水缓缓流过古老的城市,人们整个晚上都坐在岸边。", "gb18030"),
    "Korean": ("강은 오래된 도시를 천천히 흐르고 사람들은 저녁 내내 강둑에 앉아 있다.", "cp949"),
}


@pytest.mark.parametrize("language", TEXTS)
def test_an_older_encoding_is_recognised(language: str) -> None:
    text, encoding = TEXTS[language]
    assert read(text.encode(encoding)) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised_without_its_mark(encoding: str) -> None:
    text = "Grüße, 北京, and some more words of English."
    assert read(text.encode(encoding)) == text


def test_utf_8_with_a_broken_character_stays_utf_8() -> None:
    assert read("Grüße aus dem Süden, schöne Tage. ".encode() * 5 + b"\xc3").startswith("Grüße aus dem Süden")


def test_a_late_letter_is_enough() -> None:
    assert read(b"plain words\n" * 50_000 + "Übung".encode("latin-1")).endswith("\nÜbung")


def test_a_declared_encoding_is_believed() -> None:
    assert read("# -*- coding: koi8-r -*-\nx = 'да'".encode("koi8-r"), "a.py").endswith("'да'")


@pytest.mark.parametrize("declared", [b"base64", b"idna", b"no-such-encoding", b"utf-16", b"rot13"])
def test_a_declaration_of_no_text_encoding_is_ignored(declared: bytes) -> None:
    assert read(b"encoding=" + declared + "\nÜbung".encode("latin-1")).endswith("\nÜbung")
