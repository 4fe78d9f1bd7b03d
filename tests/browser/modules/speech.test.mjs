// Announcements for screen readers: when and what; splitting into sentences, counting words; durations and plurals.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatQuantity, formatDuration } from "./static/strings/format.js";
import { countWords, sentencesOf } from "./static/speech/sentences.js";
import { SpeechQueue } from "./static/speech/speech.js";
import { ar } from "./static/strings/ar.js";
import { en } from "./static/strings/en.js";
import { setLanguage, words } from "./static/strings/words.js";
import { newAnswer, reduce } from "./static/stream/answer-state.js";

const LONG = "a".repeat(100);

test("the first sentence is announced at once and alone, then a batch every five seconds, then the end", () => {
  const speech = new SpeechQueue();
  speech.add(["One.", "Two.", "Three."]);
  assert.equal(speech.take(1_000), "One.");
  speech.add(["Four."]);
  assert.equal(speech.take(5_999), null);
  assert.equal(speech.delay(2_000), 4_000);
  assert.equal(speech.take(6_000), "Two. Three. Four.");
  speech.add(["Five."]);
  speech.end("Complete.");
  assert.equal(speech.take(10_000), null);
  assert.equal(speech.take(11_000), "Five. Complete.");
  assert.equal(speech.take(60_000), null);
  assert.equal(speech.isPending, false);
});

test("a batch is bounded, a long sentence stays whole, and the end comes last", () => {
  const speech = new SpeechQueue();
  speech.add(["First.", LONG, LONG, LONG, "b".repeat(500), "Last."]);
  speech.end("Complete.");
  const said = [0, 5_000, 10_000, 15_000, 20_000, 25_000].map((now) => speech.take(now));
  assert.deepEqual(said, ["First.", `${LONG} ${LONG}`, LONG, "b".repeat(500), "Last. Complete.", null]);
});

test("the queue asks for more only when a batch is due and little is queued", () => {
  const speech = new SpeechQueue();
  assert.equal(speech.isReadyForMore(0), true);
  speech.add(["One.", LONG, LONG, LONG]);
  assert.equal(speech.isReadyForMore(0), false);
  speech.take(0);
  speech.take(5_000);
  assert.equal(speech.isReadyForMore(6_000), false);
  assert.equal(speech.isReadyForMore(10_000), true);
});

test("a cleared queue announces nothing, and the next answer at once", () => {
  const speech = new SpeechQueue();
  speech.add(["One.", "Two."]);
  speech.take(0);
  speech.end("Complete.");
  speech.clear();
  assert.equal(speech.take(5_000), null);
  speech.add(["New.", "Newer."]);
  assert.equal(speech.take(5_001), "New.");
});

test("mode `status` announces only the end, at once; mode `off` nothing", () => {
  const speech = new SpeechQueue();
  speech.add(["One.", "Two."]);
  speech.mode = "status";
  assert.equal(speech.isReadyForMore(9_000), false);
  assert.equal(speech.take(0), null);
  speech.end("Complete.");
  assert.equal(speech.take(1), "Complete.");
  speech.mode = "off";
  speech.add(["Three."]);
  speech.end("Complete.");
  assert.equal(speech.take(60_000), null);
});

const SENTENCES = {
  en: ["It rises. ", "By 3.5 m, e.g. in May! ", "Why?"],
  zh: ["水位上涨。", "为什么？", "因为雪融化了。"],
  ar: ["ترتفع المياه. ", "لماذا؟ ", "لأن الثلج يذوب."],
};
for (const [language, sentences] of Object.entries(SENTENCES)) {
  test(`sentences in ${language}, with Intl.Segmenter and without`, () => {
    assert.deepEqual(sentencesOf(sentences.join(""), language), sentences);
    const known = Intl.Segmenter;
    try {
      Intl.Segmenter = undefined;
      assert.deepEqual(sentencesOf(sentences.join(""), language), sentences);
    } finally {
      Intl.Segmenter = known;
    }
  });
}

test("switching announcements off drops the queued end", () => {
  const speech = new SpeechQueue();
  speech.end("Response complete.");
  speech.mode = "off";
  assert.equal(speech.take(60_000), null);
  assert.equal(speech.isPending, false);
});

test("words are counted exactly, and estimated in a long text", () => {
  assert.equal(countWords("It's a 5-day trip.", "en") >= 4, true);
  assert.equal(countWords("雪融化了", "zh") > 1, true);
  assert.equal(countWords("one two ".repeat(50), "en", 8_000), 2_000);
  assert.equal(countWords("", "en"), 0);
});

test("durations and plurals", async () => {
  assert.equal(formatDuration(9_999), "9s");
  assert.equal(formatDuration(125_000), "2m 5s");
  assert.equal(formatDuration(61_000, "long"), "1 minute 1 second");
  assert.equal(formatQuantity(en.counts.words, 1), "1 word");
  assert.equal(formatQuantity(en.counts.words, 1_340), "1,340 words");
  await setLanguage("ar");
  assert.equal(words, ar);
  assert.match(formatQuantity(ar.counts.lines, 2), /^سطران$/);
  assert.match(formatQuantity(ar.counts.lines, 5), /أسطر$/);
});

test("how long the model thought is the time until its first word", () => {
  const cursor = (seq) => ({ run: "r".repeat(22), epoch: 1, seq });
  let answer = newAnswer("r".repeat(22));
  answer = reduce(answer, { cursor: cursor(1), frame: { reasoning: "Well" } }, 1_000);
  answer = reduce(answer, { cursor: cursor(2), frame: { reasoning: " then" } }, 6_000);
  assert.equal(answer.thought_ms, null);
  answer = reduce(answer, { cursor: cursor(3), frame: { text: "So" } }, 9_000);
  answer = reduce(answer, { cursor: cursor(4), frame: { text: " on" } }, 12_000);
  assert.equal(answer.thought_ms, 8_000);
});
