/** Styles of the share dialog. */
export const sharingCss = `
.sharing p {
  margin: 0;
}

.sharing h2 {
  margin-block-end: 4px;
}

.sharing .conversation-title {
  overflow: hidden;
  color: var(--muted);
  white-space: nowrap;
  text-overflow: ellipsis;
  text-align: -webkit-match-parent;
  text-align: match-parent;
}

.sharing .explanation {
  margin-block-start: 16px;
  text-wrap: pretty;
}

.sharing .link-row {
  display: flex;
  gap: 8px;
  margin-block-start: 16px;
}

.sharing .link-row[hidden] {
  display: none;
}

.sharing .link-row input {
  flex: 1;
  min-inline-size: 0;
  text-overflow: ellipsis;
}

.sharing .status {
  min-block-size: 20px;
  margin: 8px 0 0;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.sharing .actions {
  flex-wrap: wrap;
  margin-block-start: 12px;
}

.sharing .danger {
  margin-inline-end: auto;
  border-color: transparent;
  color: var(--danger);
  padding-inline: 12px;
  margin-inline-start: -12px;
}

.sharing button[hidden] {
  display: none;
}

.sharing button[aria-disabled="true"] {
  cursor: default;
}
`;
