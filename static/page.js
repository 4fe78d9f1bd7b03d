/** The page: reads what the server wrote into it, puts the chat and its header together. */
import { ICONS, h, icon } from "./dom.js";
import { FreshetChat } from "./elements/chat.js";
import { defineElements } from "./elements/define.js";
import { WishesControl } from "./elements/wishes.js";
import { parseObject } from "./frames.js";
import { keepFiles } from "./install.js";
import { recallWishes, rememberWishes } from "./memory.js";
import { warm } from "./prose.js";
import { speak, words } from "./strings/words.js";

/** @typedef {{model: string, models: string[], demo: {settings: string[]} | null, signed_in: boolean}} Boot */

/** @returns {Boot} */
function readBoot() {
  const boot = parseObject(document.getElementById("boot")?.textContent ?? "") ?? {};
  return { model: "", models: [], demo: null, signed_in: false, ...boot };
}

/** @param {FreshetChat} chat */
function newChatButton(chat) {
  const button = h("button", { type: "button", class: "tool", title: words.newChat }, icon(ICONS.newChat), h("span", {}, words.newChat));
  button.addEventListener("click", () => chat.clear());
  const update = () => (button.hidden = chat.turns.length === 0);
  chat.addEventListener("freshet-change", update);
  update();
  return button;
}

function signOutForm() {
  const button = h("button", { class: "tool", title: words.signOut }, icon(ICONS.leave), h("span", {}, words.signOut));
  return h("form", { method: "post", action: new URL("signout", document.baseURI).href }, button);
}

function main() {
  const boot = readBoot();
  defineElements();
  const chat = new FreshetChat();
  const tools = document.getElementById("tools");
  const wishes = new WishesControl(boot.models, (wished) => {
    chat.wishes = wished;
    rememberWishes(wished);
  });
  tools?.append(wishes.picker, newChatButton(chat), wishes.button);
  document.body.append(wishes.dialog);
  if (boot.signed_in) tools?.append(signOutForm());
  chat.addEventListener("freshet-signed-out", () => location.reload());
  document.getElementById("chat")?.append(chat);
  chat.start({ base: document.baseURI, model: boot.model, demo: boot.demo?.settings ?? null });
  wishes.show(recallWishes());
}

void warm();
await speak(document.documentElement.lang);
main();
if (document.readyState === "complete") keepFiles(document.baseURI);
else addEventListener("load", () => keepFiles(document.baseURI), { once: true });
