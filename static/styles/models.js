/** Styles of the list of models: below its button, or a sheet at the foot of a narrow screen. Loaded with it. */
export const modelsCss = `
.models {
  position: fixed;
  inset: auto;
  flex-direction: column;
  inline-size: min(25rem, 100vw - 16px);
  max-block-size: 560px;
  margin: 0;
  padding: 0;
  border: 1px solid var(--line-colour);
  border-radius: 16px;
  background: var(--raised);
  color: var(--text);
  box-shadow: var(--shadow-high);
  overflow: hidden;
}

.models:popover-open {
  display: flex;
}

.models-head {
  flex: none;
  display: flex;
  align-items: center;
  padding-inline: 6px;
  border-block-end: 1px solid var(--line-colour);
}

.models .find {
  position: relative;
  flex: 1;
  min-inline-size: 0;
}

.models .find .icon {
  position: absolute;
  inset-block-start: 15px;
  inset-inline-start: 12px;
  inline-size: 18px;
  block-size: 18px;
  color: var(--muted);
  pointer-events: none;
}

.models input {
  inline-size: 100%;
  min-block-size: 48px;
  padding-block: 4px;
  padding-inline: 42px 12px;
  border: 0;
  outline: 0;
  background: none;
  color: inherit;
  font: inherit;
  font-size: 0.9375rem;
}

.models input::placeholder {
  color: var(--muted);
  opacity: 1;
}

.models .close {
  display: none;
}

.models .options {
  flex: 1;
  min-block-size: 0;
  padding: 4px 6px 8px;
  outline: 0;
  overflow-y: auto;
  overscroll-behavior: contain;
  scrollbar-width: thin;
}

.group-title {
  padding: 12px 12px 4px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.model-row {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  align-items: center;
  column-gap: 8px;
  min-block-size: 40px;
  padding: 7px 12px;
  border-radius: 10px;
  line-height: 20px;
  cursor: pointer;
  content-visibility: auto;
  contain-intrinsic-block-size: auto 54px;
}

.model-row.active {
  background: var(--tint);
}

.model-name {
  display: flex;
  align-items: center;
  gap: 6px;
  min-inline-size: 0;
  font-size: 0.9375rem;
}

.model-name bdi {
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.model-row[aria-selected="true"] .model-name bdi {
  font-weight: 600;
}

.ability {
  display: flex;
  flex: none;
  color: var(--muted);
}

.ability .icon {
  inline-size: 15px;
  block-size: 15px;
}

.figures {
  display: flex;
  flex-wrap: wrap;
  grid-column: 1;
  column-gap: 15px;
  overflow: hidden;
  color: var(--muted);
  font-size: var(--small);
  font-variant-numeric: tabular-nums;
}

.figures:empty {
  display: none;
}

.figures span {
  position: relative;
}

/* The line clips the dot before its first word. */
.figures span::before {
  content: "·";
  content: "·" / "";
  position: absolute;
  inset-inline-end: calc(100% + 6px);
}

.model-row > .icon {
  grid-area: 1 / 2 / span 2;
  inline-size: 18px;
  block-size: 18px;
  color: var(--accent);
  visibility: hidden;
}

.model-row[aria-selected="true"] > .icon {
  visibility: visible;
}

.models :is(.status, .note, .left) {
  flex: none;
  margin: 0;
  padding: 8px 18px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.models .left {
  padding-inline: 12px;
}

.models .note {
  border-block-start: 1px solid var(--line-colour);
}

.models :is(.status, .note):empty {
  display: none;
}

@media (max-width: 40rem) {
  .models {
    inset: auto 0 0;
    inline-size: 100%;
    max-inline-size: none;
    max-block-size: min(80dvh, 40rem);
    border-width: 1px 0 0;
    border-end-start-radius: 0;
    border-end-end-radius: 0;
    padding-block-end: env(safe-area-inset-bottom);
  }

  .models::backdrop {
    background: rgb(10 15 15 / 40%);
  }

  .models .close {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 44px;
    block-size: 44px;
    padding: 0;
    border: 0;
    border-radius: 50%;
    background: none;
    color: var(--muted);
  }

  .models input {
    font-size: 1rem;
  }
}

@media (hover: hover) {
  .model-row:hover {
    background: var(--tint);
  }
}

@media (pointer: coarse) {
  .model-row {
    min-block-size: 52px;
  }
}

@media (forced-colors: active) {
  .model-row.active {
    background: Highlight;
    color: HighlightText;
    forced-color-adjust: none;
  }
}
`;
