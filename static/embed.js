/**
 * The loader of the chat on other sites: `<script src="https://HOST/embed.js" data-key="fpk_…" async></script>` puts a button into the
 * corner, and `<freshet-chat key="fpk_…">` a chat where it stands. What draws the chat is fetched when somebody points at the button,
 * or when the element is on the page. A classic script, so that its element can say which server and key it is for.
 */
{
  /** @typedef {import("./embed/widget.js").Widget} Widget */

  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const base = new URL(".", script.src).href;
  const CSS = `:host { all: initial; display: block; }
:host([launcher]) { position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; }
:host([launcher][position="left"]) { inset: auto auto 20px 20px; }
:host([hidden]) { display: none; }
.launch { all: initial; box-sizing: border-box; display: grid; place-items: center; inline-size: 56px; block-size: 56px; border-radius: 50%;
  background: var(--freshet-accent, #0b6a75); color: var(--freshet-on-accent, #fff); cursor: pointer; box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
.launch:focus-visible { outline: 3px solid var(--freshet-accent, #0b6a75); outline-offset: 3px; }
.launch svg { inline-size: 26px; block-size: 26px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.failed { all: initial; display: block; font: 14px/1.5 system-ui, sans-serif; color: #8a1c15; background: #fff; padding: 12px; border-radius: 8px; }`;
  const ICON = "M3.5 9.5a6 5.5 0 0 1 6-5.5h1a6 5.5 0 0 1 0 11H9l-4 2.5.4-3.3a5.4 5.4 0 0 1-1.9-4.7z";
  const EVENTS = ["pointerenter", "focus", "touchstart"];
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);

  /** A chat on another site. Events: `freshet:open`, `freshet:message`, `freshet:answer`, `freshet:error`, `freshet:close`. */
  class FreshetElement extends HTMLElement {
    static observedAttributes = ["key", "lang", "theme", "persist"];
    #root = this.attachShadow({ mode: "open" });
    /** @type {Promise<Widget | null> | null} */
    #widget = null;

    connectedCallback() {
      this.#root.adoptedStyleSheets = [sheet];
      if (this.hasAttribute("launcher")) this.#drawLauncher();
      else void this.#load();
    }

    disconnectedCallback() {
      void this.#widget?.then((widget) => widget?.destroy());
      this.#widget = null;
      this.#root.replaceChildren();
    }

    attributeChangedCallback() {
      if (!this.#widget) return;
      this.disconnectedCallback();
      if (this.isConnected) this.connectedCallback();
    }

    /** Open the chat. */
    async open() {
      (await this.#load())?.open();
    }

    /** Close the chat, which goes on answering. */
    async close() {
      (await this.#widget)?.close();
    }

    /**
     * Open the chat and ask.
     * @param {string} text
     */
    async ask(text) {
      (await this.#load())?.ask(text);
    }

    /**
     * Identify the visitor by a token that the site's own server has signed, or by a function that fetches one whenever one is needed; null:
     * nobody in particular.
     * @param {string | (() => Promise<string>) | null} token
     */
    async identify(token) {
      (await this.#load())?.identify(token);
    }

    #load() {
      if (this.#widget) return this.#widget;
      // By its whole address: a script of another origin has none that others could be relative to.
      /** @type {Promise<{createWidget: import("./embed/widget.js").CreateWidget}>} */
      const loaded = import(new URL("embed/widget.js", base).href);
      this.#widget = loaded.then(
        ({ createWidget }) => createWidget(this, this.#root, base, sheet),
        (error) => this.#fail(error),
      );
      return this.#widget;
    }

    /**
     * @param {unknown} error
     * @returns {null}
     */
    #fail(error) {
      console.warn(`Freshet: the chat could not be loaded. The page's policy needs script-src ${base} and connect-src ${base}`, error);
      this.#widget = null;
      this.#root.querySelector(".failed")?.remove();
      const text = document.createElement("p");
      text.className = "failed";
      text.setAttribute("role", "alert");
      text.textContent = "The chat could not be loaded.";
      this.#root.append(text);
      return null;
    }

    #drawLauncher() {
      const button = document.createElement("button");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", ICON);
      svg.setAttribute("viewBox", "0 0 20 20");
      svg.append(path);
      button.className = "launch";
      button.setAttribute("part", "launcher");
      button.setAttribute("aria-label", this.getAttribute("label") ?? "Chat");
      button.setAttribute("aria-expanded", "false");
      button.append(svg);
      for (const name of EVENTS) button.addEventListener(name, () => void this.#load(), { once: true, passive: true });
      button.addEventListener("click", async () => (await this.#load())?.toggle());
      this.#root.replaceChildren(button);
      if (sessionStorageOf(`freshet.embed.open ${this.getAttribute("key")}`)) void this.#load();
    }
  }

  /** @param {string} name */
  const sessionStorageOf = (name) => {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null; // blocked
    }
  };

  if (!customElements.get("freshet-chat")) customElements.define("freshet-chat", FreshetElement);
  const { key } = script.dataset;
  if (key) {
    const element = document.createElement("freshet-chat");
    element.setAttribute("launcher", "");
    for (const [name, value] of Object.entries(script.dataset)) element.setAttribute(name, value ?? "");
    const append = () => document.body.append(element);
    if (document.body) append();
    else addEventListener("DOMContentLoaded", append);
  }
}
