/** What a chat is started with: a type only, no code. */

/**
 * @typedef {object} ChatOptions
 * @property {string} base the address to which the server's doors are relative
 * @property {string} model named before the first question
 * @property {readonly string[]} starters questions to begin with; empty: the page's own
 * @property {string | null} wanted the conversation to show; null: the one that this tab showed last
 * @property {import("../dialogue.js").Shelf} shelf
 * @property {string} byDefault the model that answers where none is wished, as `provider/model`
 * @property {string[]} blind models that can't see images, named like that
 * @property {string[] | null} demo settings that would bring a real model; null where there is one
 */

export {};
