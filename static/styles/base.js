/** The foundation of the chat's sheets: the host, resets, icons and icon buttons. Colours and sizes are in `tokens.css`. */
export const baseCss = `
:host {
  display: flex;
  flex-direction: column;
  min-block-size: 0;
  block-size: 100%;
  position: relative;
  color: var(--text);
  background: var(--ground);
  font: var(--type);
}

*,
::before,
::after {
  box-sizing: border-box;
}

p,
h2,
ul {
  margin: 0;
  padding: 0;
  font: inherit;
}

ul {
  list-style: none;
}

[hidden] {
  display: none !important;
}

button {
  font: inherit;
  color: inherit;
  background: none;
  border: 0;
  padding: 0;
  cursor: pointer;
  touch-action: manipulation;
}

/* An empty field has the direction of the page; a text has its own. */
[dir="auto"]:placeholder-shown {
  direction: inherit;
  unicode-bidi: isolate;
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

.visually-hidden {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.icon {
  inline-size: 20px;
  block-size: 20px;
  flex: none;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.75;
  stroke-linecap: round;
  stroke-linejoin: round;
}

.icon.filled {
  fill: currentColor;
  stroke: none;
}

.small {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 28px;
  block-size: 28px;
  border-radius: 8px;
  color: var(--muted);
  transition: opacity 140ms;
}

.small .icon {
  inline-size: 16px;
  block-size: 16px;
}

@media (hover: hover) {
  .small:hover {
    color: var(--text);
    background: var(--tint);
  }
}

.small:disabled {
  visibility: hidden;
}

@media (pointer: coarse) {
  .small {
    inline-size: 44px;
    block-size: 44px;
  }

  .small .icon {
    inline-size: 18px;
    block-size: 18px;
  }
}

@media (prefers-reduced-motion: reduce) {
  * {
    transition: none !important;
  }
}
`;
