/** Print styles: only questions and answers, without clipping, in one column as wide as the page. */
export const printCss = `
@media print {
  :host,
  .scroller,
  .column,
  .turns,
  .turn,
  .message,
  .question-box,
  .answer {
    display: block;
  }

  .turns {
    margin-inline: 0;
    padding-inline: 0;
    content-visibility: visible !important;
  }

  .question.folded {
    max-block-size: none;
    mask-image: none;
  }

  .unfold {
    display: none;
  }

  .settled {
    content-visibility: visible;
  }

  :host {
    block-size: auto;
    background: none;
  }

  .scroller {
    overflow: visible;
    padding: 0;
    scrollbar-gutter: auto;
  }

  .column {
    max-inline-size: none;
    min-block-size: 0;
    padding: 0;
  }

  .dock,
  .turn-actions,
  .choices,
  .retry,
  .waiting,
  .copy,
  .editing,
  .thinking:not([open]),
  .problem .icon,
  .empty {
    display: none !important;
  }

  .turn {
    margin-block-start: 0;
  }

  .turn + .turn,
  .turns + .turns > .turn:first-child {
    margin-block-start: 16pt;
    padding-block-start: 16pt;
    border-block-start: 1px solid var(--line-colour);
  }

  .question-box {
    margin-block-end: 10pt;
    break-after: avoid;
  }

  .question {
    display: block !important;
    max-inline-size: none;
    padding: 0;
    border-radius: 0;
    background: none;
    font-weight: 600;
  }

  .pictures {
    justify-content: flex-start;
  }

  .tail {
    display: block;
    margin-block-start: 6pt;
    min-block-size: 0;
  }

  .meta {
    min-block-size: 0;
    padding: 0;
  }

  .meta span + span {
    display: none;
  }

  .blocks {
    contain: none;
  }

  .blocks.settled {
    content-visibility: visible;
    margin-inline: 0;
    padding-inline: 0;
  }

  .flow :is(p, li) {
    orphans: 3;
    widows: 3;
  }

  .flow :is(h3, h4, h5, h6) {
    break-after: avoid;
  }

  .flow :is(tr, img, .math.display, .footnote) {
    break-inside: avoid;
  }

  .code {
    overflow: visible;
    box-decoration-break: clone;
    -webkit-box-decoration-break: clone;
  }

  .code-head {
    min-block-size: 0;
    padding-block: 3pt;
    break-after: avoid;
  }

  .flow pre {
    overflow: visible;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }

  .table,
  .math.display {
    overflow: visible;
    background: none;
  }

  .flow table {
    inline-size: 100%;
    font-size: 0.9rem;
  }

  .flow table.fixed {
    inline-size: 100%;
  }

  .flow :is(th, td) {
    min-inline-size: 0;
    max-inline-size: none;
    padding-inline-end: 8pt;
    overflow-wrap: anywhere;
  }

  .flow summary {
    padding-inline-start: 0;
  }

  .flow summary::before {
    content: none;
  }

  .flow details::details-content {
    content-visibility: visible;
    block-size: auto;
  }
}
`;
