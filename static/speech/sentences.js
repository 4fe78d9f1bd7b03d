/** Sentences and words of a text, as its readers count them. Pure. */

/** For browsers that know no better: where a sentence ends, in the languages that the page speaks. */
const ENDS = /[.!?؟…]+["'”’»)\]]*\s+(?!\p{Ll})|[。！？]+[”’」』）]*\s*/gu;

/**
 * @param {"sentence" | "word"} granularity
 * @param {string} language
 */
function segmenter(granularity, language) {
  return typeof Intl.Segmenter === "function" ? new Intl.Segmenter(language, { granularity }) : null;
}

/**
 * Cut a text into sentences; together they are the text.
 * @param {string} text
 * @param {string} language
 * @returns {string[]}
 */
export function sentencesOf(text, language) {
  const cutter = segmenter("sentence", language);
  if (cutter) return Array.from(cutter.segment(text), ({ segment }) => segment);
  let from = 0;
  const found = Array.from(text.matchAll(ENDS), ({ 0: end, index }) => text.slice(from, (from = index + end.length)));
  return from < text.length ? [...found, text.slice(from)] : found;
}

/**
 * Count words. Where only the beginning of a text is given the number is about right, and round.
 * @param {string} text
 * @param {string} language
 * @param {number} [chars] how long all of the text is
 */
export function countWords(text, language, chars = text.length) {
  const cutter = segmenter("word", language);
  const words = cutter ? Array.from(cutter.segment(text)).filter(({ isWordLike }) => isWordLike).length : (text.match(/\S+/g) ?? []).length;
  return chars <= text.length ? words : Math.round((words * chars) / text.length / 100) * 100;
}
