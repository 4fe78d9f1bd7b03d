"""What Pygments takes each character for, in the five classes of the page's lexer."""

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, Token, _TokenType

# The first that holds a token counts; what none holds is plain. Instructions to a preprocessor are code, not
# comments, and a name that is only a name has no class.
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
# Where a lexer uses a token for something else: documentation is a comment, a block of text is a string.
ITS_OWN: dict[str, tuple[tuple[_TokenType, str], ...]] = {
    "rust": ((String.Doc, "comment"),),
    "yaml": ((Name.Constant, "string"),),
}


def kind_of(token: _TokenType, language: str) -> str:
    """Return the class of a token."""
    if token is Name or token is Token:
        return "plain"
    rules = ITS_OWN.get(language, ()) + CLASSES
    return next((kind for held, kind in rules if token in held), "plain")


def classes(text: str, language: str) -> list[str]:
    """Return the class of each character."""
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    kinds: list[str] = []
    for token, value in lexer.get_tokens(text):
        kinds += [kind_of(token, language)] * len(value)
    return kinds
