/** A line above the list that offers to move the conversations from before the sign-in to the user. */
import { AccountApi } from "./api.js";
import { h, setText } from "../dom/elements.js";
import { formatQuantity } from "../strings/format.js";
import { getAccountWords } from "../strings/account.js";
import { words } from "../strings/words.js";
import { accountCss } from "../styles/account.js";
import { sheetOf } from "../styles/sheets.js";

/**
 * Show the offer, if this browser has such conversations.
 * @param {import("../conversation/api.js").ConversationApi} api
 * @param {Promise<import("../sidebar/list.js").ConversationList>} listLoaded
 */
export async function offerMove(api, listLoaded) {
  const account = new AccountApi((method, path) => api.request(method, path));
  const count = await account.countVisitorConversations();
  const list = count > 0 ? await listLoaded.catch(() => null) : null;
  if (!list) return;
  document.adoptedStyleSheets.push(sheetOf(accountCss));
  const texts = getAccountWords();
  const text = h("p", { role: "status" }, formatQuantity(texts.earlier, count));
  const button = h("button", { type: "button" }, formatQuantity(texts.move, count));
  const element = h("div", { class: "moving" }, text, button);
  let isBusy = false;
  button.addEventListener("click", async () => {
    if (isBusy) return;
    isBusy = true;
    button.setAttribute("aria-disabled", "true");
    const moved = await account.moveConversations();
    isBusy = false;
    button.removeAttribute("aria-disabled");
    if (moved === null) return setText(text, words.actionFailed);
    element.remove();
    await list.refreshWithMessage(formatQuantity(texts.moved, moved));
  });
  list.insertAbove(element);
}
