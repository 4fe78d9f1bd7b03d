/** Styles of the chips of documents above the message field. */
export const documentsCss = `
.documents {
  display: flex;
  flex: 1 0 100%;
  flex-wrap: wrap;
  gap: 6px;
  max-block-size: 124px;
  margin: 0;
  padding: 5px 5px 4px;
  overflow-y: auto;
  list-style: none;
  cursor: default;
}

.documents[hidden] {
  display: none;
}

.documents li {
  position: relative;
  display: flex;
  align-items: center;
  gap: 6px;
  max-inline-size: 100%;
  min-block-size: 36px;
  padding-inline-start: 10px;
  overflow: hidden;
  border-radius: 12px;
  background: var(--tint);
  font-size: var(--small);
  line-height: 20px;
}

.documents li:has(.open) {
  padding-inline-start: 0;
}

.documents .open {
  display: flex;
  align-items: center;
  gap: 6px;
  min-inline-size: 0;
  min-block-size: 36px;
  padding-inline-start: 10px;
  border-radius: 12px;
  color: inherit;
  font: inherit;
}

.documents .icon {
  flex: none;
  inline-size: 16px;
  block-size: 16px;
  color: var(--muted);
}

.documents .name {
  min-inline-size: 0;
  max-inline-size: 22ch;
  overflow: hidden;
  white-space: nowrap;
  text-overflow: ellipsis;
}

.documents .meta {
  flex: none;
  color: var(--muted);
  font-variant-numeric: tabular-nums;
}

.documents .remove {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 36px;
  block-size: 36px;
  border-radius: 12px;
  color: var(--muted);
}

@media (hover: hover) {
  .documents button:hover {
    color: var(--text);
    background: var(--tint);
  }

  .documents button:hover .icon {
    color: inherit;
  }
}

.documents .bar {
  position: absolute;
  inset-block-end: 0;
  inset-inline-start: 0;
  block-size: 2px;
  inline-size: 0;
  background: var(--accent);
  transition: inline-size 0.2s;
}

.documents .failed .icon {
  color: var(--danger);
}

.documents .failed .name {
  max-inline-size: none;
  white-space: normal;
  padding-block: 6px;
}

.documents .failed .remove .icon {
  color: inherit;
}

@media (max-width: 40rem) {
  .documents {
    flex-wrap: nowrap;
    overflow: auto hidden;
    scrollbar-width: none;
  }

  .documents li {
    flex: none;
    max-inline-size: 86%;
  }

  .documents .name {
    max-inline-size: 16ch;
  }
}

@media (pointer: coarse) {
  .documents li,
  .documents .open {
    min-block-size: 44px;
  }

  .documents .remove {
    inline-size: 44px;
    block-size: 44px;
  }
}

@media (prefers-reduced-motion: reduce) {
  .documents .bar {
    transition: none;
  }
}
`;
