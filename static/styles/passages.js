/** Styles of the panel that shows a passage in its document. */
export const passagesCss = `
.passages {
  display: grid;
  grid-template-rows: auto auto 1fr auto;
  inline-size: min(34rem, 100vw);
  max-inline-size: none;
  block-size: 100dvh;
  max-block-size: none;
  margin: 0;
  margin-inline-start: auto;
  padding: 0;
  border: 0;
  border-inline-start: 1px solid var(--line-colour);
  background: var(--raised);
  color: var(--text);
  box-shadow: var(--shadow);
}

.passages:not([open]) {
  display: none;
}

.passages::backdrop {
  background: rgb(10 15 15 / 30%);
}

.passages header,
.passages footer {
  display: flex;
  align-items: center;
  gap: 8px;
  padding: 8px 8px 8px 24px;
}

.passages h2 {
  flex: 1;
  min-inline-size: 0;
  margin: 0;
  overflow: hidden;
  font: inherit;
  font-weight: 600;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.passages button {
  display: grid;
  place-items: center;
  inline-size: 44px;
  block-size: 44px;
  padding: 0;
  border: 0;
  border-radius: 12px;
  background: none;
  color: var(--muted);
  cursor: pointer;
}

.passages button:hover:not(:disabled) {
  background: var(--tint);
  color: var(--text);
}

.passages button:disabled {
  opacity: 0.4;
  cursor: default;
}

.passages .icon {
  inline-size: 20px;
  block-size: 20px;
}

.passages .turn-page:dir(rtl) .icon {
  transform: scaleX(-1);
}

.passages .text {
  overflow: auto;
  padding: 8px 24px 24px;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
  text-wrap: pretty;
}

.passages mark {
  padding-block: 2px;
  border-radius: 3px;
  background: var(--mark);
  color: inherit;
}

.passages .status {
  margin: 0;
  padding-inline: 24px;
  color: var(--muted);
}

.passages footer {
  justify-content: center;
  padding: 4px;
  border-block-start: 1px solid var(--line-colour);
}

.passages .place {
  min-inline-size: 8rem;
  margin: 0;
  color: var(--muted);
  font-size: var(--small);
  text-align: center;
}
`;
