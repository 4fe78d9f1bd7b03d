/** Styles of the conversation list. Loaded after the first paint. */
export const listCss = `
.list {
  position: relative;
  display: flex;
  flex-direction: column;
  block-size: 100%;
  min-block-size: 0;
}

.head {
  display: flex;
  flex: none;
  gap: 4px;
  padding-block-end: 8px;
}

.search {
  position: relative;
  flex: 1;
  min-inline-size: 0;
}

.importer {
  flex: none;
  margin-inline-end: -2px;
}

.list .small.import {
  inline-size: 36px;
  block-size: 36px;
  border-radius: 10px;
}

@media (hover: hover) {
  .list .small.import:hover {
    background: var(--tint);
  }
}

.import .icon {
  inline-size: 20px;
  block-size: 20px;
}

.list .import[aria-disabled] {
  opacity: 0.5;
  cursor: default;
}

.search .icon {
  position: absolute;
  inset-block-start: 9px;
  inset-inline-start: 11px;
  inline-size: 18px;
  block-size: 18px;
  color: var(--muted);
  pointer-events: none;
}

.list input {
  inline-size: 100%;
  min-block-size: 36px;
  padding-block: 4px;
  padding-inline: 12px;
  border: 1px solid var(--line-colour);
  border-radius: 10px;
  background: var(--raised);
  color: inherit;
  font: inherit;
  font-size: 0.875rem;
}

.list input:focus-visible {
  border-color: var(--accent);
  outline: 1px solid var(--accent);
  outline-offset: 0;
}

.search input {
  padding-inline-start: 38px;
}

.search input::placeholder {
  color: var(--muted);
  opacity: 1;
}

.rows {
  flex: 1;
  min-block-size: 0;
  margin-inline: -4px;
  padding-inline: 4px;
  overflow-y: auto;
  overscroll-behavior: contain;
  scrollbar-width: thin;
}

.list :is(ul, h2) {
  margin: 0;
  padding: 0;
  list-style: none;
}

.list h2 {
  padding: 12px 12px 4px;
  color: var(--muted);
  font: inherit;
  font-size: var(--small);
  line-height: 20px;
}

.list li + li {
  margin-block-start: 2px;
}

.line {
  display: flex;
  position: relative;
  border-radius: 10px;
}

.line[hidden] {
  display: none;
}

.line:has(:focus-visible) {
  background: var(--tint);
}

@media (hover: hover) {
  .line:hover {
    background: var(--tint);
  }
}

.line a {
  display: flex;
  flex: 1;
  align-items: center;
  gap: 8px;
  min-inline-size: 0;
  min-block-size: 36px;
  padding-inline: 12px 36px;
  border-radius: inherit;
  color: inherit;
  font-size: 0.875rem;
  text-decoration: none;
}

.line .texts {
  flex: 1;
  display: grid;
  min-inline-size: 0;
}

.line .snippet {
  display: -webkit-box;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  line-clamp: 2;
  overflow: hidden;
  margin-block-end: 6px;
  color: var(--muted);
  font-size: var(--small);
  font-weight: 400;
  line-height: 18px;
  overflow-wrap: anywhere;
}

.line .snippet[hidden] {
  display: none;
}

.line .texts:has(.snippet:not([hidden])) .title {
  margin-block-start: 6px;
}

.snippet mark {
  border-radius: 3px;
  background: var(--mark);
  color: var(--text);
}

/* Titles stand on the page's side, whatever their language. */
.line :is(.title, .snippet),
.toast-text {
  text-align: -webkit-match-parent;
  text-align: match-parent;
}

.line .title {
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.line a[aria-current] {
  background: var(--tint);
  font-weight: 600;
}

.dot {
  flex: none;
  inline-size: 8px;
  block-size: 8px;
  border-radius: 50%;
  background: var(--accent);
  forced-color-adjust: none;
}

.list .small {
  display: grid;
  flex: none;
  place-items: center;
  inline-size: 32px;
  block-size: 32px;
  padding: 0;
  border: 0;
  border-radius: 8px;
  background: none;
  color: var(--muted);
  cursor: pointer;
}

@media (hover: hover) {
  .list .small:hover {
    color: var(--text);
  }
}

.list .small.more {
  position: absolute;
  inset-block-start: 2px;
  inset-inline-end: 2px;
  opacity: 0;
  transition: opacity 140ms;
}

.list .more .icon {
  stroke-width: 2.5;
}

.line:has(:focus-visible) .more,
.list .more[aria-expanded="true"] {
  opacity: 1;
}

@media (hover: hover) {
  .line:hover .more {
    opacity: 1;
  }
}

.list .row-actions {
  position: fixed;
  inset: auto;
  min-inline-size: 12rem;
  margin: 0;
  padding: 6px;
  border: 1px solid var(--line-colour);
  border-radius: 14px;
  background: var(--raised);
  color: var(--text);
  box-shadow: var(--shadow-high);
}

.list .row-actions:popover-open {
  display: grid;
}

.list .row-actions > * {
  display: flex;
  align-items: center;
  min-block-size: 36px;
  padding-inline: 12px;
  border: 0;
  border-radius: 8px;
  background: none;
  color: inherit;
  font: inherit;
  font-size: var(--small);
  text-align: start;
  text-decoration: none;
  cursor: pointer;
}

@media (hover: hover) {
  .list .row-actions > :hover {
    background: var(--tint);
  }
}

.list .row-actions > .danger {
  color: var(--danger);
}

.list-status {
  margin: 12px;
  color: var(--muted);
  font-size: var(--small);
}

.list-status:empty {
  display: none;
}

.list-end {
  block-size: 12px;
}

.toast {
  position: absolute;
  inset-block-end: 12px;
  inset-inline: 0;
  display: flex;
  align-items: center;
  gap: 4px;
  padding: 4px 4px 4px 14px;
  border: 1px solid var(--line-colour);
  border-radius: 12px;
  background: var(--raised);
  box-shadow: var(--shadow);
  font-size: var(--small);
  line-height: 20px;
}

.toast:dir(rtl) {
  padding: 4px 14px 4px 4px;
}

.toast[hidden] {
  display: none;
}

.toast-text {
  flex: 1;
  min-inline-size: 0;
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.full-text .toast-text {
  padding-block: 6px;
  white-space: normal;
  overflow-wrap: anywhere;
}

.undo {
  flex: none;
  min-block-size: 32px;
  padding-inline: 8px;
  border: 0;
  border-radius: 8px;
  background: none;
  color: var(--accent);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}

.toast > [hidden] {
  display: none;
}

@media (pointer: coarse) {
  .list input,
  .line a,
  .undo,
  .list .row-actions > * {
    min-block-size: 44px;
  }

  .search .icon {
    inset-block-start: 13px;
  }

  .line a {
    padding-inline-end: 44px;
  }

  .list .small,
  .list .small.more,
  .list .small.import {
    inset-block-start: 0;
    inset-inline-end: 0;
    inline-size: 44px;
    block-size: 44px;
    opacity: 1;
  }

  .list input {
    font-size: 1rem;
  }
}

@media (prefers-reduced-motion: reduce) {
  .list .small.more {
    transition: none;
  }
}

@media (forced-colors: active) {
  .line a[aria-current] {
    background: Highlight;
    color: HighlightText;
    forced-color-adjust: none;
  }
}
`;
