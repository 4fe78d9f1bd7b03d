"""Long conversations and long answers: their end is there at once, the rest comes without moving what is read."""

import json

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.answers import TEXT, words
from tests.browser.chat import Chat
from tests.browser.scripted import scripted
from tests.shots.answers import RICH
from tests.shots.seeds import IMPORT, conversation
from tests.support.dialects import DONE, openai, openai_delta, openai_finish
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, paced

MESSAGES = 2_000
# A machine has other work too: the least of several runs is what the page itself takes.
RUNS = 5
FIRST_MS = 1_000
TASK_MS = 50

# Looks, before each picture of the browser, for the last message and for all of them.
WATCH = """(() => {
    window.seen = {first: 0, all: 0, moved: 0};
    const look = () => {
        const root = document.querySelector('freshet-chat')?.shadowRoot;
        const turns = root?.querySelectorAll('.turn').length ?? 0;
        const last = root?.querySelector('.turns:last-child > .turn:last-child .answer > .flow');
        if (last?.childElementCount && !window.seen.first) window.seen.first = performance.now();
        if (turns >= %d && !window.seen.all) window.seen.all = performance.now();
        if (!window.seen.all) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})()"""
# Idle time begins when the test says so.
BUSY = """(() => {
    const idle = window.requestIdleCallback;
    const waiting = [];
    window.requestIdleCallback = (...asked) => (window.isIdle ? idle(...asked) : waiting.push(asked));
    window.rest = () => {
        window.isIdle = true;
        for (const asked of waiting) idle(...asked);
    };
})()"""
COUNT = "() => document.querySelector('freshet-chat').shadowRoot.querySelectorAll('.turn').length"
# Where the messages on the screen stand, before each picture: how far any of them ever was from where it began.
STILL = """() => {
    const root = document.querySelector('freshet-chat').shadowRoot;
    const scroller = root.querySelector('.scroller');
    const {top, bottom} = scroller.getBoundingClientRect();
    const blocks = [...root.querySelectorAll('.message, .message p, .message li')].filter((element) => {
        const box = element.getBoundingClientRect();
        return box.bottom > top && box.top < bottom && box.height > 0;
    });
    const begun = blocks.map((element) => element.getBoundingClientRect().top);
    window.moved = {most: 0, looks: 0, blocks: blocks.length};
    const look = () => {
        blocks.forEach((element, at) => {
            window.moved.most = Math.max(window.moved.most, Math.abs(element.getBoundingClientRect().top - begun[at]));
        });
        window.moved.looks += 1;
        requestAnimationFrame(look);
    };
    look();
}"""


def opened(chat: Chat, count: int) -> str:
    """Bring a conversation in and give its address."""
    name = chat.page.evaluate(IMPORT, conversation(count))
    return f"{chat.url}/?c={name}"


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_the_end_is_there_within_a_second_and_then_all_of_it(context: BrowserContext, chat: Chat) -> None:
    address = opened(chat, MESSAGES)
    times = []
    for _ in range(RUNS):
        page = context.new_page()
        page.add_init_script(WATCH % (MESSAGES // 2))
        page.goto(address)
        page.wait_for_function("() => window.seen.all > 0", timeout=60_000)
        seen = page.evaluate("() => window.seen")
        assert seen["first"] < seen["all"], "the end comes first"
        times.append(seen["first"])
        if min(times) < FIRST_MS:
            break
        page.close()
    assert min(times) < FIRST_MS, times
    texts = page.locator(".turns .message").all_text_contents()
    found = [text.partition("Message ")[2].partition("x.")[0] for text in texts]
    assert found == [str(number) for number in range(MESSAGES)], "in order, and every one of them"
    # Searching in the page finds what is laid out, or rests and says so; never what is hidden.
    hidden = """() => [...document.querySelector('freshet-chat').shadowRoot.querySelectorAll('.turns, .message')]
        .filter((element) => element.checkVisibility({contentVisibilityAuto: false}) === false).length"""
    assert page.evaluate(hidden) == 0
    gap = """() => {
        const {scrollHeight, clientHeight, scrollTop} = document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller');
        return scrollHeight - clientHeight - scrollTop;
    }"""
    assert page.evaluate(gap) < 2, "the reader is still at the end"


def test_what_is_read_stays_while_the_rest_comes(chat: Chat) -> None:
    address = opened(chat, 600)
    chat.page.add_init_script(BUSY)
    chat.page.goto(address)
    expect(chat.answers.last).to_contain_text("Message 599x.")
    scroll_up(chat.page)
    before = chat.page.evaluate(COUNT)
    chat.page.evaluate(STILL)
    chat.page.evaluate("() => window.rest()")
    chat.page.wait_for_function(f"() => ({COUNT})() >= 300", timeout=60_000)
    moved = chat.page.evaluate("() => window.moved")
    assert before < 300, "there was something to come"
    assert moved["blocks"] > 3
    assert moved["most"] <= 1, moved


def test_200_frames_move_nothing_that_is_read(chat: Chat, provider: FakeProvider) -> None:
    text = "\n\n".join([TEXT, RICH] * 5)
    said = [openai_delta(piece) for piece in words(text)]
    provider.play(Answer(steps=list(paced([*said, *openai_finish(), DONE], 120))))
    chat.ask("At length")
    chat.wait_chars(2_500)
    scroll_up(chat.page)
    begun = len(chat.answer()["text"])
    chat.page.evaluate(STILL)
    chat.page.wait_for_function("() => window.moved.looks >= 200", timeout=30_000)
    assert len(chat.answer()["text"]) > begun + 300
    moved = chat.page.evaluate("() => window.moved")
    assert moved["blocks"] > 3
    assert moved["most"] <= 1, moved
    chat.page.get_by_role("button", name="To the latest text").click()
    chat.stop.click()
    chat.wait_over()


def test_what_grows_above_moves_nothing(chat: Chat) -> None:
    chat.page.goto(opened(chat, 40))
    expect(chat.page.locator(".turn")).to_have_count(20)
    scroll_up(chat.page)
    chat.page.evaluate(STILL)
    chat.page.evaluate(
        """() => {
            const first = document.querySelector('freshet-chat').shadowRoot.querySelector('.turns:last-child > .turn');
            const grown = document.createElement('div');
            grown.style.blockSize = '500px';
            first.append(grown);
        }"""
    )
    # Before a picture the layout may be seen as it was found; in the picture everything stands where it stood.
    chat.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    chat.page.evaluate("() => { window.moved.most = 0; }")
    chat.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert chat.page.evaluate("() => window.moved.most") <= 1


def test_another_long_conversation_takes_the_place_of_one(chat: Chat) -> None:
    first, second = opened(chat, 200), opened(chat, 100)
    chat.page.goto(first)
    expect(chat.page.locator(".turn")).to_have_count(100)
    chat.page.evaluate("id => document.querySelector('freshet-chat').show(id)", second.partition("?c=")[2])
    expect(chat.page.locator(".turn")).to_have_count(50)
    expect(chat.answers.last).to_contain_text("Message 99x.")
    texts = chat.page.locator(".turns .message").all_text_contents()
    assert [text.partition("Message ")[2].partition("x.")[0] for text in texts] == [
        str(number) for number in range(100)
    ]


def whole(page: Page) -> None:
    """Wait until all of an answer is drawn: it ends with a sign of its own."""
    page.wait_for_function(
        """() => document.querySelector('freshet-chat').shadowRoot.querySelector('.turns:last-child > .turn:last-child .answer > .flow')
            ?.textContent.trimEnd().endsWith('The end.') ?? false""",
        timeout=90_000,
    )


def longest_task_ms(trace: bytes) -> float:
    """Return the CPU time of the page's longest task, whatever else the machine did meanwhile."""
    events = json.loads(trace)["traceEvents"]
    named = [event for event in events if event["name"] == "thread_name"]
    main = {(one["pid"], one["tid"]) for one in named if one["args"]["name"] == "CrRendererMain"}
    tasks = [one for one in events if one["name"].endswith("RunTask") and (one["pid"], one["tid"]) in main]
    assert len(tasks) > 100
    return float(max(task.get("tdur", task.get("dur", 0)) for task in tasks)) / 1_000


@pytest.mark.alone
def test_a_reset_of_a_megabyte_makes_no_long_task(
    browser: Browser, context: BrowserContext, chat: Chat, provider: FakeProvider
) -> None:
    provider.play(Answer(steps=openai(["Yes."])))
    paragraph = "The river rises when *the snow* melts, and falls when the `summer` comes. " * 8
    text = f"{paragraph}\n\n- one\n- two\n\n" * 1_650 + "The end."
    assert len(text) > 1_000_000
    longest: list[float] = []
    while len(longest) < RUNS and min(longest, default=TASK_MS) >= TASK_MS:
        again = Chat(context, chat.url, chat.watch).open()
        again.ask("Hello")
        again.wait_over()
        again.page.route("**/stream", scripted({"reset": {"text": text}}))
        again.field.fill("Everything")
        browser.start_tracing(page=again.page, categories=["toplevel"])
        again.page.keyboard.press("Enter")
        whole(again.page)
        longest.append(longest_task_ms(browser.stop_tracing()))
        again.page.close()
    assert min(longest) < TASK_MS, longest


def test_what_is_drawn_in_pieces_is_the_same_as_in_one(chat: Chat) -> None:
    text = "\n\n".join([TEXT, RICH] * 30) + "\n\nThe end."
    chat.page.route("**/stream", scripted({"reset": {"text": text}}))
    chat.ask("Everything")
    whole(chat.page)
    expect(chat.page.locator("div.math.built")).to_have_count(30)
    same = chat.page.evaluate(
        """async (text) => {
            const {stream} = await import(document.querySelector('link[href$="/render/index.js"]').href);
            const flow = document.querySelector('freshet-chat').shadowRoot.querySelector('.answer > .flow');
            const other = document.createElement('div');
            const view = stream(other);
            view.write(text);
            view.end();
            const plain = (root) => {
                const copy = root.cloneNode(true);
                for (const box of copy.querySelectorAll('.blocks, .settled')) {
                    box.classList.remove('settled');
                    box.removeAttribute('style');
                    if (box.className === '') box.removeAttribute('class');
                }
                for (const math of copy.querySelectorAll('math')) math.remove();
                for (const math of copy.querySelectorAll('.math')) math.classList.remove('built');
                copy.normalize();
                return copy.innerHTML.replace(/\\bm[0-9]+-/g, 'm-');
            };
            return plain(flow) === plain(other);
        }""",
        text,
    )
    assert same


def scroll_up(page: Page) -> None:
    """Leave the end, as a person does."""
    page.get_by_role("log").hover()
    page.mouse.wheel(0, -700)
    expect(page.get_by_role("button", name="To the latest text")).to_be_visible()
    # A wheel goes on for a moment: its last picture is waited for.
    page.evaluate(
        """() => new Promise((done) => {
            const scroller = document.querySelector('freshet-chat').shadowRoot.querySelector('.scroller');
            let [top, same] = [-1, 0];
            const look = () => {
                same = scroller.scrollTop === top ? same + 1 : 0;
                top = scroller.scrollTop;
                if (same > 5) done();
                else requestAnimationFrame(look);
            };
            look();
        })"""
    )
