"""CSV files: rows that can be understood without their table."""

import pytest

from webapp.documents.csv_rows import read_csv


def read(text: str) -> str:
    return read_csv("people.csv", text, 10_000).text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_each_row_names_its_columns(delimiter: str) -> None:
    text = "Name,Town,Age\nAnna,Bern,41\nBo,,7\n".replace(",", delimiter)
    assert read(text) == "Name: Anna; Town: Bern; Age: 41\nName: Bo; Age: 7"


def test_quoted_fields_keep_delimiters_and_join_lines() -> None:
    assert (
        read('Name,Note\n"Smith, A.","two\nlines and ""quotes"""\n')
        == 'Name: Smith, A.; Note: two lines and "quotes"'
    )


def test_heads_alone_are_text() -> None:
    assert read("Name,Age\n,\n") == "Name; Age"


def test_a_first_row_with_numbers_is_no_head() -> None:
    assert read("1,Anna\n2,Bo\n") == "1; Anna\n2; Bo"


def test_fields_beyond_the_heads_are_kept() -> None:
    assert read("Name,Age\nAnna,41,extra\n") == "Name: Anna; Age: 41; extra"


@pytest.mark.parametrize("text", ["one\ntwo\n", '"never closed,\nx', "a,b\n\n\n,\n"])
def test_a_table_of_one_column_or_a_broken_one_is_read(text: str) -> None:
    assert read(text)
