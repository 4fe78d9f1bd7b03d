/** Splits text into sentences and counts words, by the rules of its language. Pure. */

/** Sentence ends in the page's languages, for browsers without `Intl.Segmenter`. */
const SENTENCE_END = /[.!?؟…]+["'”’»)\]]*\s+(?!\p{Ll})|[。！？]+[”’」』）]*\s*/gu;

/**
 * Return a segmenter, or null if the browser has none.
 * @param {"sentence" | "word"} granularity
 * @param {string} language
 */
function createSegmenter(granularity, language) {
  return typeof Intl.Segmenter === "function" ? new Intl.Segmenter(language, { granularity }) : null;
}

/**
 * Split a text into sentences. Joined, they are the text again.
 * @param {string} text
 * @param {string} language
 * @returns {string[]}
 */
export function sentencesOf(text, language) {
  const segmenter = createSegmenter("sentence", language);
  if (segmenter) return Array.from(segmenter.segment(text), ({ segment }) => segment);
  let from = 0;
  const found = Array.from(text.matchAll(SENTENCE_END), ({ 0: end, index }) => text.slice(from, (from = index + end.length)));
  return from < text.length ? [...found, text.slice(from)] : found;
}

/**
 * Count words. From only the beginning of a text, extrapolate to a rounded number.
 * @param {string} text
 * @param {string} language
 * @param {number} [chars] length of the whole text
 */
export function countWords(text, language, chars = text.length) {
  const segmenter = createSegmenter("word", language);
  const words = segmenter ? Array.from(segmenter.segment(text)).filter(({ isWordLike }) => isWordLike).length : (text.match(/\S+/g) ?? []).length;
  return chars <= text.length ? words : Math.round((words * chars) / text.length / 100) * 100;
}
