/** The title of the tab: an answer that came while nobody saw it leaves a mark there until somebody does. */

const MARK = "● ";

/**
 * Keep the title.
 * @param {EventTarget} chat tells `freshet-answered`
 */
export function keepTitle(chat) {
  const clear = () => {
    if (document.visibilityState === "visible" && document.title.startsWith(MARK)) document.title = document.title.slice(MARK.length);
  };
  chat.addEventListener("freshet-answered", () => {
    if (document.visibilityState !== "visible" && !document.title.startsWith(MARK)) document.title = MARK + document.title;
  });
  document.addEventListener("visibilitychange", clear);
  addEventListener("pageshow", clear);
}
