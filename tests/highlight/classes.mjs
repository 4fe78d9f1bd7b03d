/** Say, as JSON, the class of each piece of each fixture. */
import { readdirSync, readFileSync } from "node:fs";
import { known } from "./static/highlight/languages.js";
import { tokens } from "./static/highlight/lexer.js";

const said = readdirSync("fixtures").map((file) => {
  const name = file.replace(".txt", "");
  return [name, [...tokens(readFileSync(`fixtures/${file}`, "utf8"), known(name) ?? "")].map(({ start, end, kind }) => [start, end, kind || "plain"])];
});
console.log(JSON.stringify(Object.fromEntries(said)));
