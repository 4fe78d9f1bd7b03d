/** Print, as JSON, the class of each token of each fixture. */
import { readdirSync, readFileSync } from "node:fs";
import { languageOf } from "./static/highlight/languages.js";
import { tokenize } from "./static/highlight/lexer.js";

const classes = readdirSync("fixtures").map((file) => {
  const name = file.replace(".txt", "");
  return [name, [...tokenize(readFileSync(`fixtures/${file}`, "utf8"), languageOf(name) ?? "")].map(({ start, end, kind }) => [start, end, kind || "plain"])];
});
console.log(JSON.stringify(Object.fromEntries(classes)));
