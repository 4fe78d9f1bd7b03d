/** Styles of the foot of a chat: composer, queued message, notices, scroll-to-bottom button. */
export const composerCss = `
.dock {
  flex: none;
  position: relative;
  padding-block-start: 8px;
  padding-inline: var(--gutter);
  padding-block-end: max(12px, env(safe-area-inset-bottom));
  background: var(--ground);
}

.composer {
  display: flex;
  flex-wrap: wrap;
  align-items: flex-end;
  gap: 8px;
  max-inline-size: calc(var(--measure) + 40px);
  margin-inline: auto;
  padding: 7px 7px 7px 19px;
  border: 1px solid var(--control);
  border-radius: 26px;
  background: var(--raised);
  cursor: text;
}

.composer:dir(rtl) {
  padding: 7px 19px 7px 7px;
}

.queued {
  flex: 1 0 calc(100% - 22px);
  display: flex;
  align-items: center;
  gap: 4px;
  min-inline-size: 0;
  margin-block: 1px 4px;
  margin-inline: 12px 10px;
  padding-block-end: 4px;
  border-block-end: 1px solid var(--line-colour);
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.queued[hidden] {
  display: none;
}

.queued button {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 32px;
  block-size: 32px;
  border-radius: 50%;
  color: inherit;
}

@media (hover: hover) {
  .queued button:hover {
    color: var(--text);
    background: var(--tint);
  }
}

.queued .icon {
  inline-size: 16px;
  block-size: 16px;
}

.queued-title {
  flex: none;
  margin-inline-end: 8px;
  color: var(--text);
  font-weight: 600;
}

.queued-text {
  flex: 1;
  text-align: -webkit-match-parent;
  text-align: match-parent;
  min-inline-size: 0;
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.composer:has(textarea:focus-visible) {
  border-color: var(--accent);
  outline: 1px solid var(--accent);
}

textarea {
  flex: 1;
  min-inline-size: 0;
  max-block-size: min(40vh, 240px);
  margin: 0;
  padding: 6px 0;
  resize: none;
  overflow-y: auto;
  color: inherit;
  background: none;
  border: 0;
  outline: 0;
  font: inherit;
  line-height: 1.5;
}

textarea:focus-visible {
  outline: 0;
}

textarea::placeholder {
  color: var(--muted);
  opacity: 1;
}

.submit {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 36px;
  block-size: 36px;
  border-radius: 50%;
  color: var(--on-accent);
  background: var(--accent);
}

.halt {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 36px;
  block-size: 36px;
  border-radius: 50%;
  color: var(--muted);
}

@media (hover: hover) {
  .halt:hover {
    color: var(--text);
    background: var(--tint);
  }
}

.submit[aria-disabled="true"] {
  color: var(--muted);
  background: var(--tint);
  cursor: default;
}

.foot {
  min-block-size: 20px;
  margin: 8px auto 0;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
  text-align: center;
  text-wrap: balance;
}

.foot:empty {
  min-block-size: 4px;
  margin: 0;
}

.overlay {
  position: absolute;
  inset-inline: var(--gutter);
  inset-block-end: 100%;
  max-inline-size: calc(var(--measure) + 40px);
  margin-inline: auto;
  padding-block-end: 4px;
  display: flex;
  align-items: flex-end;
  justify-content: center;
  pointer-events: none;
}

.overlay > * {
  pointer-events: auto;
}

.notice {
  max-inline-size: 100%;
  padding: 6px 14px;
  border: 1px solid var(--line-colour);
  border-radius: 16px;
  color: var(--text);
  background: var(--raised);
  font-size: var(--small);
  line-height: 20px;
  text-align: center;
  text-wrap: balance;
  box-shadow: var(--shadow);
}

.overlay:has(.to-bottom:not([hidden])) .notice {
  max-inline-size: calc(100% - 104px);
}

.notice button {
  flex: none;
  min-block-size: 24px;
  padding-inline: 4px;
  margin-inline-start: 6px;
  border-radius: 6px;
  color: var(--accent);
  font-weight: 600;
}

@media (hover: hover) {
  .notice button:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
}

.to-bottom {
  position: absolute;
  inset-inline-end: 7px;
  inset-block-end: 4px;
  display: grid;
  place-items: center;
  inline-size: 36px;
  block-size: 36px;
  border: 1px solid var(--control);
  border-radius: 50%;
  background: var(--raised);
  box-shadow: var(--shadow);
}

@media (hover: hover) {
  .to-bottom:hover {
    background: var(--tint);
  }
}

.to-bottom .icon {
  inline-size: 18px;
  block-size: 18px;
}

@media (pointer: coarse) {
  .composer {
    padding: 3px 3px 3px 19px;
  }

  .composer:dir(rtl) {
    padding: 3px 19px 3px 3px;
  }

  textarea {
    padding-block: 9px;
  }

  .submit,
  .queued button {
    inline-size: 44px;
    block-size: 44px;
  }

  .notice button {
    min-block-size: 44px;
    min-inline-size: 44px;
    margin-block: -12px;
    padding-inline: 8px;
    margin-inline-start: 2px;
  }

  .to-bottom {
    inline-size: 44px;
    block-size: 44px;
    inset-inline-end: 0;
  }
}

@media (forced-colors: active) {
  .composer:has(textarea:focus-visible) {
    outline: 2px solid Highlight;
  }

  .submit {
    border: 1px solid ButtonText;
  }
}
`;
