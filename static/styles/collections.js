/** Styles of the dialog of collections of documents. */
export const collectionsCss = `
.documents-view {
  inline-size: min(40rem, calc(100vw - 32px));
}

.documents-view :is(input, p, ul)[hidden] {
  display: none;
}

.documents-view .intro,
.documents-view .status,
.documents-view .empty {
  margin-block: 0 12px;
  color: var(--muted);
  font-size: var(--small);
}

.documents-view .status {
  min-block-size: 1.5em;
  margin-block: 12px 0;
}

.documents-view .create {
  display: flex;
  gap: 8px;
  margin-block-end: 16px;
}

.documents-view .create input {
  flex: 1;
  min-inline-size: 0;
}

.documents-view .one-collection {
  border: 1px solid var(--line-colour);
  border-radius: 12px;
}

.documents-view .one-collection + .one-collection {
  margin-block-start: 8px;
}

.documents-view .one-collection.over {
  border-color: var(--accent);
  outline: 1px solid var(--accent);
}

.documents-view summary {
  display: flex;
  align-items: center;
  gap: 8px;
  min-block-size: 48px;
  padding-inline: 12px;
  border-radius: 12px;
  list-style: none;
  cursor: pointer;
}

.documents-view summary::-webkit-details-marker {
  display: none;
}

.documents-view summary .icon {
  flex: none;
  inline-size: 16px;
  block-size: 16px;
  color: var(--muted);
}

.documents-view summary:dir(rtl) .icon {
  transform: scaleX(-1);
}

.documents-view [open] > summary .icon {
  transform: rotate(90deg);
}

.documents-view .name {
  flex: 1;
  min-inline-size: 0;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.documents-view summary .name {
  font-weight: 600;
}

.documents-view :is(.count, .meta) {
  flex: none;
  color: var(--muted);
  font-size: var(--small);
  font-variant-numeric: tabular-nums;
}

.documents-view .inside {
  padding: 0 12px 12px;
}

.documents-view .inside .ways {
  display: flex;
  margin-inline: 0;
  flex-wrap: wrap;
  align-items: center;
  gap: 8px;
  margin-block-end: 8px;
}

.documents-view .inside label {
  display: flex;
  flex: 1;
  align-items: center;
  gap: 8px;
  min-inline-size: 12rem;
  min-block-size: 44px;
  margin: 0;
  font-weight: 400;
}

.documents-view .inside input[type="checkbox"] {
  inline-size: 18px;
  block-size: 18px;
  margin: 0;
  accent-color: var(--accent);
}

.documents-view ul {
  margin: 0;
  padding: 0;
  list-style: none;
}

.documents-view li {
  display: flex;
  align-items: center;
  gap: 8px;
  min-block-size: 44px;
  border-block-start: 1px solid var(--line-colour);
}

.documents-view li .icon {
  flex: none;
  inline-size: 16px;
  block-size: 16px;
  color: var(--muted);
}

.documents-view li .open {
  display: flex;
  flex: 1;
  align-items: center;
  gap: 8px;
  min-inline-size: 0;
  padding: 0;
  border: 0;
  background: none;
  text-align: start;
}

.documents-view .failed .name {
  white-space: normal;
  padding-block: 8px;
}

.documents-view .failed .icon {
  color: var(--danger);
}

.documents-view .danger {
  color: var(--danger);
}

.documents-view .remove {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 44px;
  block-size: 44px;
  padding: 0;
  border: 0;
  background: none;
  color: var(--muted);
}

.documents-view .remove .icon {
  inline-size: 16px;
  block-size: 16px;
}

@media (hover: hover) {
  .documents-view .remove:hover {
    color: var(--danger);
  }
}
`;
