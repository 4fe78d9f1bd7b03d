/** Registers the custom elements. Apart from the classes, so that importing a class has no side effect. */
import { FreshetChat } from "./chat.js";

/** Register `<freshet-chat>`, once. */
export function defineElements() {
  if (!customElements.get("freshet-chat")) customElements.define("freshet-chat", FreshetChat);
}
