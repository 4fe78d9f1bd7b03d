"""Highlighting in a browser: no nodes are added, slices are short, and removed elements leave no ranges."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.bare import bare

SAMPLE = (Path(__file__).parent / "fixtures" / "javascript.txt").read_text()

# A block of code in a shadow root, its text in several nodes as after streaming.
HELPERS = """() => {
  window.put = (text, size = 300) => {
    const host = document.createElement("div");
    const pre = document.createElement("pre");
    const code = document.createElement("code");
    for (let at = 0; at < text.length; at += size) {
      const part = document.createElement("span");
      part.append(text.slice(at, at + size));
      code.append(at ? part : part.firstChild);
    }
    pre.append(code);
    host.attachShadow({ mode: "open" }).append(pre);
    document.body.append(host);
    return code;
  };
  // The observer reports what is near the screen in the next frame.
  window.nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))));
  window.paint = async (code, language, text = code.textContent) => {
    await (await import("/static/highlight/index.js")).highlight(code, language, text);
    await nextFrame();
  };
  window.painted = () => [...(CSS.highlights ?? new Map()).values()].reduce((sum, { size }) => sum + size, 0);
  // The class of each painted character.
  window.classes = (code) => {
    const range = document.createRange();
    const classes = Array(code.textContent.length).fill("");
    for (const [name, ranges] of CSS.highlights) for (const { startContainer, startOffset, endContainer, endOffset } of ranges) {
      range.setStart(code, 0);
      range.setEnd(startContainer, startOffset);
      const from = range.toString().length;
      range.setEnd(endContainer, endOffset);
      classes.fill(name, from, range.toString().length);
    }
    return classes;
  };
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with bare(browser) as opened:
        opened.evaluate(HELPERS)
        yield opened


def test_the_painted_classes_are_those_of_the_lexer(page: Page) -> None:
    painted, expected = page.evaluate(
        """async (text) => {
          const code = put(text, 7);
          await paint(code, "js");
          const { tokenize } = await import("/static/highlight/lexer.js");
          const expected = [...tokenize(text, "javascript")]
            .flatMap(({ start, end, kind }) => Array(end - start).fill(kind ? `freshet-${kind}` : ""));
          return [classes(code), expected];
        }""",
        SAMPLE[:1_000],
    )
    assert len(set(expected)) == 6
    visible = [at for at in range(1_000) if not SAMPLE[at].isspace()]
    assert [painted[at] for at in visible] == [expected[at] for at in visible]


def test_no_node_is_added_and_the_copied_text_is_unchanged(page: Page) -> None:
    before, after, copied = page.evaluate(
        """async (text) => {
          const code = put(text);
          const nodes = [...code.childNodes];
          await paint(code, "javascript");
          const range = document.createRange();
          range.selectNodeContents(code);
          const same = nodes.every((node, at) => code.childNodes[at] === node);
          return [nodes.length, same ? code.childNodes.length : -1, range.toString()];
        }""",
        SAMPLE,
    )
    assert before == after
    assert copied == SAMPLE


@pytest.mark.parametrize(
    ("scheme", "colour"), [("light", "rgb(142, 42, 107)"), ("dark", "rgb(229, 154, 200)")]
)
def test_colours_show_inside_a_shadow_root(browser: Browser, scheme: str, colour: str) -> None:
    with bare(browser, color_scheme=scheme) as page:
        page.evaluate(HELPERS)
        page.evaluate("() => { window.code = put('return return return'); }")
        plain = page.screenshot()
        page.evaluate("() => paint(code, 'js')")
        style = "getComputedStyle(code, '::highlight(freshet-keyword)').color"
        assert page.evaluate(style) == colour
        page.evaluate("() => nextFrame()")
        assert page.screenshot() != plain


def test_nothing_is_painted_in_forced_colours(browser: Browser) -> None:
    with bare(browser, forced_colors="active") as page:
        page.evaluate(HELPERS)
        page.evaluate("() => { window.code = put('return return return'); }")
        plain = page.screenshot()
        page.evaluate("() => paint(code, 'js')")
        assert page.evaluate("painted()") == 0
        assert page.screenshot() == plain
        page.emulate_media(forced_colors="none")
        page.wait_for_function("() => painted() === 1")
        page.emulate_media(forced_colors="active")
        page.wait_for_function("() => painted() === 0")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("klingon", "return 1"),
        ("", "return 1"),
        ("js", "return 1;" * 5_600),
        ("js", ""),
    ],
)
def test_unknown_languages_and_long_texts_stay_plain(page: Page, language: str, text: str) -> None:
    assert (
        page.evaluate("async ([l, t]) => { await paint(put(t), l); return painted(); }", [language, text])
        == 0
    )


def test_a_text_other_than_the_element_s_stays_plain(page: Page) -> None:
    assert (
        page.evaluate("async () => { await paint(put('return 1'), 'js', 'return 2'); return painted(); }")
        == 0
    )


def test_code_stays_plain_without_the_highlight_api(page: Page) -> None:
    page.evaluate("() => { Object.defineProperty(CSS, 'highlights', { value: undefined }); }")
    assert (
        page.evaluate("async () => { await paint(put('return 1'), 'js'); return CSS.highlights ?? null; }")
        is None
    )


def test_code_is_painted_without_idle_callbacks(page: Page) -> None:
    """Safari has highlights but no idle callbacks."""
    page.evaluate("() => { window.requestIdleCallback = undefined; }")
    assert page.evaluate("async () => { await paint(put('return 1'), 'js'); return painted(); }") == 2


def test_slices_are_short(page: Page) -> None:
    rounds = page.evaluate(
        """async (text) => {
          let took = [];
          const wait = window.requestIdleCallback;
          window.requestIdleCallback = (work, options) => wait((idle) => {
            const start = performance.now();
            work(idle);
            // The slice's own microtask was queued first, so it has run by then.
            queueMicrotask(() => took.push(performance.now() - start));
          }, options);
          const rounds = [];
          const isShort = (round) => [...round].sort((a, b) => a - b)[Math.floor((round.length * 3) / 4)] <= 8;
          // A machine that is busy elsewhere stretches some slices, or all of a round.
          for (let round = 0; round < 12 && !rounds.some(isShort); round += 1) {
            took = [];
            await paint(put(text, 2_000), "js");
            rounds.push(took);
          }
          return rounds;
        }""",
        (SAMPLE * 20)[:50_000],
    )
    assert max(map(len, rounds)) > 1, "one slice is not enough for 50 kB"
    assert min(sorted(took)[len(took) * 3 // 4] for took in rounds) <= 8, rounds


@pytest.mark.parametrize("gone", ["code.remove()", "code.getRootNode().host.remove()"])
def test_ranges_are_removed_with_their_element(page: Page, gone: str) -> None:
    assert (
        page.evaluate(
            "async () => { window.code = put('return 1'); await paint(code, 'js'); return painted(); }"
        )
        == 2
    )
    assert (
        page.evaluate(
            "async () => { window.other = put('return 1'); await paint(other, 'js'); return painted(); }"
        )
        == 4
    )
    page.evaluate(f"() => {{ {gone}; }}")
    assert page.evaluate("() => nextFrame().then(painted)") == 2


def test_moving_an_element_keeps_its_colours(page: Page) -> None:
    script = "async () => { const c = put('return 1'); await paint(c, 'js'); const p = c.parentNode; c.remove(); p.append(c); await nextFrame(); return painted(); }"
    assert page.evaluate(script) == 2


def test_an_element_removed_during_lexing_leaves_no_ranges(page: Page) -> None:
    script = "async (text) => { const c = put(text); const done = paint(c, 'js'); c.remove(); await done; return painted(); }"
    assert page.evaluate(script, SAMPLE) == 0


def test_a_second_call_replaces_the_first(page: Page) -> None:
    script = "async () => { const c = put('return 1'); await Promise.all([paint(c, 'js'), paint(c, 'js')]); await paint(c, 'js'); return painted(); }"
    assert page.evaluate(script) == 2


def test_only_elements_near_the_screen_have_ranges(page: Page) -> None:
    """Chromium checks every range whenever the page changes, so their number must not grow with the conversation."""
    few, more = page.evaluate(
        """async (text) => {
          document.body.style.margin = "0";
          const scroller = document.createElement("div");
          scroller.style.cssText = "block-size: 100vh; overflow: auto";
          const blocks = Array.from({ length: 30 }, () => put(text, 2_000));
          scroller.append(...blocks.map((code) => code.getRootNode().host));
          document.body.append(scroller);
          for (const code of blocks) await paint(code, "js");
          const few = painted();
          for (let step = 1; step < 10; step += 1) {
            scroller.scrollTop = (scroller.scrollHeight * step) / 10;
            await nextFrame();
          }
          return [few, painted()];
        }""",
        SAMPLE,
    )
    assert 50 < few < 600
    assert 50 < more < 600
