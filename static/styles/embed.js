/** The frame of the chat on other sites. Colours and sizes are those of `tokens.css`, which the host's properties may replace. */
export const embedCss = `
.frame {
  all: initial;
  color-scheme: inherit;
  box-sizing: border-box;
  display: flex;
  flex-direction: column;
  block-size: 100%;
  min-block-size: 240px;
  overflow: hidden;
  color: var(--text);
  background: var(--ground);
  font: var(--type);
  border-radius: var(--freshet-radius, 16px);
}

.frame[hidden] {
  display: none;
}

.frame.floats {
  position: fixed;
  inset: auto 20px 88px auto;
  inline-size: min(var(--freshet-width, 400px), calc(100vw - 40px));
  block-size: min(var(--freshet-height, 640px), calc(100dvh - 112px));
  border: 1px solid var(--line-colour);
  box-shadow: var(--shadow-high);
}

:host([position="left"]) .frame.floats {
  inset: auto auto 88px 20px;
}

.head {
  display: flex;
  align-items: center;
  gap: 8px;
  padding: 8px 8px 8px 16px;
  border-block-end: 1px solid var(--line-colour);
}

.head h2 {
  all: unset;
  flex: 1;
  font: 600 16px/1.4 var(--sans);
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.head button {
  all: unset;
  display: grid;
  place-items: center;
  inline-size: 40px;
  block-size: 40px;
  border-radius: 10px;
  cursor: pointer;
}

.head button:hover {
  background: var(--tint);
}

.head button:focus-visible,
.frame a:focus-visible,
.trouble button:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 1px;
}

.head svg {
  inline-size: 20px;
  block-size: 20px;
  fill: none;
  stroke: currentColor;
  stroke-width: 1.6;
  stroke-linecap: round;
  stroke-linejoin: round;
}

.frame freshet-conversation {
  flex: 1;
}

.foot-link {
  padding: 4px 16px 8px;
  font: 12px/1.5 var(--sans);
  color: var(--muted);
  text-align: center;
}

.foot-link a {
  color: inherit;
}

.trouble {
  margin: auto;
  padding: 24px;
  text-align: center;
  font: 15px/1.5 var(--sans);
}

.trouble button {
  all: unset;
  margin-block-start: 12px;
  padding: 8px 16px;
  border: 1px solid var(--control);
  border-radius: 10px;
  cursor: pointer;
}

@media (max-width: 480px) {
  .frame.floats {
    inset: 0;
    inline-size: 100vw;
    block-size: 100dvh;
    border: 0;
    border-radius: 0;
  }
}
`;
