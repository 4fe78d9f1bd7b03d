"""States with documents: chips above the field, refused files, a passage in its document, and the collections."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat import NETWORK, Chat
from tests.documents.pdf_files import lines, pdf
from tests.shots.scenes import Stage
from tests.support.dialects import openai
from tests.support.script import Answer

PARTS = (
    "Reasons",
    "Approvals",
    "Hotels",
    "Meals",
    "Cars",
    "Bicycles",
    "Visas",
    "Insurance",
    "Luggage",
    "Delays",
    "Receipts",
    "Refunds",
)
HANDBOOK = pdf(
    [
        *(
            lines(f"{part}.", *[f"{part}: rule {rule} of the travel handbook." for rule in range(50)])
            for part in PARTS
        ),
        lines(
            "Trips by train",
            "Trips by train are paid for in second class.",
            "From four hours on, first class is paid for, too.",
            "Flights need an approval by the head of the department.",
            *[f"Ticket {number} is kept until the trip is paid." for number in range(20)],
        ),
    ]
)
PRICES = "route,second class,first class\n" + "".join(
    f"line {number},{20 + number},{35 + 2 * number}\n" for number in range(400)
)
QUESTION = "Which class may I book for a trip of five hours by train?"
ANSWER = (
    "You may book **first class**: trips by train are paid for in second class, and from four hours on in first class, too [1].",
    "\n\nKeep the ticket until the trip is paid.",
)


def attached(stage: Stage) -> Chat:
    """Two documents above the field."""
    stage.provider.play(Answer(steps=openai(list(ANSWER))))
    chat = stage.open(stage.real)
    opened = chat.page.locator(".documents .open")
    choose(chat, ("travel-handbook.pdf", "application/pdf", HANDBOOK))
    expect(opened).to_have_count(1)
    choose(chat, ("prices-of-all-lines-in-the-second-half-of-the-year.csv", "text/csv", PRICES.encode()))
    expect(opened).to_have_count(2)
    return chat


def choose(chat: Chat, *files: tuple[str, str, bytes]) -> None:
    """Choose files with the button."""
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(
        [{"name": name, "mimeType": type_, "buffer": body} for name, type_, body in files]
    )


def answered(stage: Stage) -> Chat:
    """An answer with sources, and its documents above the field."""
    chat = attached(stage)
    chat.ask(QUESTION)
    chat.wait_over()
    expect(chat.page.locator(".sources li").first).to_be_visible()
    return chat


def passage(stage: Stage) -> Chat:
    """The passage in its document, at its page."""
    chat = answered(stage)
    chat.page.locator(".sources li").filter(has_text="travel-handbook").locator("button").first.click()
    expect(chat.page.locator("dialog.passages mark")).to_be_visible()
    return chat


def refused(stage: Stage) -> Chat:
    """Files that cannot be read."""
    stage.watch.allow(NETWORK)
    chat = attached(stage)
    choose(
        chat,
        ("scan.pdf", "application/pdf", b"%PDF-1.7 nothing"),
        ("backup.bin", "application/octet-stream", bytes(range(256)) * 40),
    )
    expect(chat.page.locator(".documents .failed")).to_have_count(2)
    return chat


def collections(stage: Stage) -> Chat:
    """The view of collections, one of which answers are based on."""
    chat = stage.open(stage.real)
    page = chat.page
    page.get_by_role("button", name="Documents").click()
    view = page.get_by_role("dialog", name="Documents")
    expect(view.get_by_role("status")).to_be_visible()
    for name in ("Handbook", "Prices"):
        view.get_by_label("New collection").fill(name)
        page.keyboard.press("Enter")
        with page.expect_file_chooser() as chooser:
            view.get_by_role("group").filter(has_text=name).get_by_role("button", name="Add files").click()
        chooser.value.set_files(
            [{"name": "travel-handbook.pdf", "mimeType": "application/pdf", "buffer": HANDBOOK}]
            if name == "Handbook"
            else [{"name": "prices.csv", "mimeType": "text/csv", "buffer": PRICES.encode()}]
        )
        expect(view.locator(".one-collection").filter(has_text=name)).to_contain_text("1 document")
    view.get_by_label("Base answers on it").first.check()
    return chat


DOCUMENTS: dict[str, Callable[[Stage], Chat]] = {
    "documents": attached,
    "documents-answered": answered,
    "documents-passage": passage,
    "documents-refused": refused,
    "documents-collections": collections,
}
