// Trees of texts for the second witness: those given, or generated ones of a seed in what both know.
import { readFileSync } from "node:fs";
import { Generator } from "./generate.mjs";
import { parse } from "./static/markdown/index.js";

const OURS_ALONE = /\[\^|\\[([]|\$\$|\t/;

function generated(seed, count) {
  const generator = new Generator(seed);
  const texts = [];
  while (texts.length < count) {
    const text = generator.text();
    if (!OURS_ALONE.test(text)) texts.push(text);
  }
  return texts;
}

const { texts, seed, count } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify((texts ?? generated(seed, count)).map((text) => [text, parse(text)])));
