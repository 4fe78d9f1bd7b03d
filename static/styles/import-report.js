/** Styles of the report of an import. */
export const importReportCss = `
.import-report p {
  margin: 0;
  margin-block-end: 12px;
}

.import-report .name {
  color: var(--muted);
  font-size: var(--small);
  overflow-wrap: anywhere;
}

.import-report ul {
  max-block-size: 40vh;
  margin: 0;
  padding: 0;
  overflow-y: auto;
  list-style: none;
}

.import-report li {
  padding-block: 8px;
}

.import-report li + li {
  border-block-start: 1px solid var(--line-colour);
}

.import-report li span {
  display: block;
  overflow-wrap: anywhere;
}

.import-report .reason {
  color: var(--muted);
  font-size: var(--small);
}

.import-report .stopped {
  margin-block: 12px 0;
}
`;
