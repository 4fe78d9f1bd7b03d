/** Registration of the elements, apart from their classes, so that importing a class changes nothing. */
import { FreshetChat } from "./chat.js";

/** Register `<freshet-chat>`, once. */
export function defineElements() {
  if (!customElements.get("freshet-chat")) customElements.define("freshet-chat", FreshetChat);
}
