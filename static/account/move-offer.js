/** A quiet line above the list: conversations that this browser has from before its user was one, and how they come here. */
import { Account } from "./api.js";
import { h, setText } from "../dom/elements.js";
import { counted } from "../strings/format.js";
import { spokenOfAccount } from "../strings/account.js";
import { words } from "../strings/words.js";
import { accountCss } from "../styles/account.js";
import { sheetOf } from "../styles/sheets.js";

/**
 * Offer to move what there is. Nothing is shown where there is nothing.
 * @param {import("../conversation/api.js").Library} library
 * @param {Promise<import("../sidebar/list.js").List>} coming
 */
export async function offerMove(library, coming) {
  const account = new Account((method, path) => library.ask(method, path));
  const count = await account.earlier();
  const list = count > 0 ? await coming.catch(() => null) : null;
  if (!list) return;
  document.adoptedStyleSheets.push(sheetOf(accountCss));
  const said = spokenOfAccount();
  const text = h("p", { role: "status" }, counted(said.earlier, count));
  const button = h("button", { type: "button" }, counted(said.move, count));
  const element = h("div", { class: "moving" }, text, button);
  let isBusy = false;
  button.addEventListener("click", async () => {
    if (isBusy) return;
    isBusy = true;
    button.setAttribute("aria-disabled", "true");
    const number = await account.move();
    isBusy = false;
    button.removeAttribute("aria-disabled");
    if (number === null) return setText(text, words.notDone);
    element.remove();
    await list.joined(counted(said.moved, number));
  });
  list.hold(element);
}
