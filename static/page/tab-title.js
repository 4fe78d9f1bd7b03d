/** The tab's title: the conversation's, with a mark while an answer that ended in the background is unread. */

const UNREAD_MARK = "● ";
const MAX_TITLE_CHARS = 100;

/** The title of one tab. */
export class TabTitle {
  #fallback = document.title;
  #isMarked = false;
  #title = "";

  /** @param {EventTarget} chat fires `freshet-answered` */
  constructor(chat) {
    const clear = () => document.visibilityState === "visible" && this.#mark(false);
    chat.addEventListener("freshet-answered", () => document.visibilityState !== "visible" && this.#mark(true));
    document.addEventListener("visibilitychange", clear);
    addEventListener("pageshow", clear);
  }

  /**
   * Show a conversation's title.
   * @param {string} title empty: it has none
   */
  show(title) {
    this.#title = [...title].slice(0, MAX_TITLE_CHARS).join("");
    this.#update();
  }

  /** @param {boolean} isMarked */
  #mark(isMarked) {
    this.#isMarked = isMarked;
    this.#update();
  }

  #update() {
    const title = `${this.#isMarked ? UNREAD_MARK : ""}${this.#title || this.#fallback}`;
    if (document.title !== title) document.title = title;
  }
}
