/** Styles of the log: its scroller, its column, and what an empty chat shows. */
export const logCss = `
.scroller {
  flex: 1;
  min-block-size: 0;
  overflow-y: auto;
  overflow-x: hidden;
  overflow-anchor: none;
  overscroll-behavior: contain;
  padding-inline: var(--gutter);
  scrollbar-gutter: stable both-edges;
}

.scroller:focus-visible {
  outline-offset: -2px;
}

.column {
  max-inline-size: var(--measure);
  min-block-size: 100%;
  margin-inline: auto;
  padding-block: 0 max(48px, var(--floating, 0px) + 16px);
  display: flex;
  flex-direction: column;
}

/* A skipped box clips its content: leave space for outlines and for what extends beyond the column. */
.turns {
  margin-inline: -16px;
  padding-inline: 16px;
}

.message {
  display: flex;
  flex-direction: column;
  border-radius: 8px;
}

.message:focus-visible {
  outline-offset: 6px;
}

.empty {
  margin-block: auto;
  padding-block: 48px 24px;
}

.empty h2 {
  font-size: var(--large);
  line-height: 1.3;
  font-weight: 600;
  letter-spacing: -0.01em;
  text-wrap: balance;
}

.empty > p {
  margin-block: 4px 24px;
  color: var(--muted);
  min-block-size: calc(1em * var(--line));
}

.empty li + li {
  border-block-start: 1px solid var(--line-colour);
}

.empty button {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 12px;
  inline-size: calc(100% + 24px);
  margin-inline: -12px;
  min-block-size: 48px;
  padding: 8px 12px;
  text-align: start;
  border-radius: 8px;
}

.empty li span {
  min-inline-size: 0;
  overflow-wrap: anywhere;
}

.empty .icon {
  color: var(--muted);
  stroke-width: 1.5;
  transition: transform 140ms;
}

.empty .icon:dir(rtl) {
  transform: scaleX(-1);
}

@media (hover: hover) {
  .empty button:hover {
    background: var(--tint);
  }
}
`;
