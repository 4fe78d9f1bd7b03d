"""The reference of the page's lexer: the class that Pygments gives each character."""

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, Token, _TokenType

# The first entry that contains a token applies; without one it is plain. Preprocessor directives are code, not comments,
# and a plain name has no class.
CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Comment.PreprocFile, "string"),
    (Comment.Preproc, "keyword"),
    (Comment, "comment"),
    (String, "string"),
    (Number, "number"),
    (Keyword, "keyword"),
    (Operator.Word, "keyword"),
    (Name.Other, "plain"),
    (Name, "name"),
    (Generic.Inserted, "string"),
    (Generic.Deleted, "keyword"),
    (Generic.Heading, "name"),
    (Generic.Subheading, "name"),
)
# Lexers that use a token for something else: documentation is a comment, a block scalar is a string.
EXCEPTIONS: dict[str, tuple[tuple[_TokenType, str], ...]] = {
    "rust": ((String.Doc, "comment"),),
    "yaml": ((Name.Constant, "string"),),
}


def kind_of(token: _TokenType, language: str) -> str:
    """Return the class of a token."""
    if token is Name or token is Token:
        return "plain"
    rules = EXCEPTIONS.get(language, ()) + CLASSES
    return next((kind for parent, kind in rules if token in parent), "plain")


def classes(text: str, language: str) -> list[str]:
    """Return the class of each character."""
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    kinds: list[str] = []
    for token, value in lexer.get_tokens(text):
        kinds += [kind_of(token, language)] * len(value)
    return kinds
