// Prints the trees of texts for the comparison with cmark-gfm: those given, or generated ones of constructs that both parsers know.
import { readFileSync } from "node:fs";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";

const UNKNOWN_TO_CMARK = /\[\^|\\[([]|\$\$|\t/;

function generated(seed, count) {
  const generator = new Generator(seed);
  const texts = [];
  while (texts.length < count) {
    const text = generator.text();
    if (!UNKNOWN_TO_CMARK.test(text)) texts.push(text);
  }
  return texts;
}

const { texts, seed, count } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify((texts ?? generated(seed, count)).map((text) => [text, parse(text)])));
