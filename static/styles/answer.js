/** Styles of an answer's Markdown: text, lists, code, tables, notes. Colours and sizes: `tokens.css`. */
export const answerCss = `
.blocks {
  display: flow-root;
  contain: layout style;
}

/* Skipped content is clipped: leave space for focus outlines. */
.settled {
  content-visibility: auto;
}

.blocks.settled {
  margin-inline: -4px;
  padding-inline: 4px;
}

.flow :where(p, h3, h4, h5, h6, ul, ol, li, blockquote, pre, hr, table) {
  margin: 0;
  padding: 0;
  font: inherit;
}

.flow :where(p, h3, h4, h5, h6, li, th, td, summary) {
  unicode-bidi: plaintext;
  text-align: start;
}

.flow .blocks > *,
.flow :is(blockquote, li, details) > * + *,
.flow .footnote > div > * + * {
  margin-block-start: 14px;
}

.flow .blocks > .blocks,
.flow li > input + * {
  margin-block-start: 0;
}

.part {
  display: block;
}

.held {
  margin-block-start: 14px;
  color: var(--muted);
}

.html {
  white-space: pre-wrap;
}

.flow :is(h3, h4, h5, h6) {
  font-weight: 600;
  line-height: 1.35;
}

.flow h3 {
  font-size: 1.1875rem;
  letter-spacing: -0.005em;
}

.flow h4 {
  font-size: 1.0625rem;
}

.flow .blocks > :is(h3, h4, h5, h6, hr),
.flow .blocks > hr + * {
  margin-block-start: 24px;
}

.flow h6 {
  color: var(--muted);
}

.flow :is(strong, b) {
  font-weight: 600;
}

.flow a {
  color: var(--accent);
  text-decoration: underline;
  text-decoration-color: color-mix(in srgb, currentColor 40%, transparent);
  text-decoration-thickness: 1px;
  text-underline-offset: 3px;
  border-radius: 3px;
}

.flow a:not([href], .unfinished) {
  color: inherit;
  text-decoration: none;
}

.flow :is(sup, sub) {
  font-size: 0.75em;
  line-height: 0;
}

.flow mark {
  background: var(--mark);
  color: inherit;
  border-radius: 3px;
}

.flow img {
  display: block;
  max-inline-size: 100%;
  block-size: auto;
  min-block-size: 96px;
  background: var(--tint);
  border: 1px solid var(--line-colour);
  border-radius: 8px;
}

.flow :is(ul, ol) {
  list-style: disc;
  padding-inline-start: 26px;
}

.flow ol {
  list-style: decimal;
  font-variant-numeric: tabular-nums;
}

.flow ul ul {
  list-style-type: circle;
}

.flow li::marker {
  color: var(--muted);
}

.flow :is(ul, ol) > li + li,
.flow li > :is(ul, ol) {
  margin-block-start: 4px;
}

.flow [data-loose] > li + li,
.flow [data-loose] > li > :is(ul, ol) {
  margin-block-start: 12px;
}

.flow :is(ul, ol).more {
  margin-block-start: 4px;
}

.flow [data-loose].more {
  margin-block-start: 12px;
}

.flow li.task {
  list-style: none;
}

.flow li > :is(.code, .table) {
  margin-block-end: 14px;
}

.flow li > input {
  float: inline-start;
  inline-size: 16px;
  block-size: 16px;
  margin: calc((1em * var(--line) - 16px) / 2) 0 0;
  margin-inline-start: -24px;
  accent-color: var(--accent);
}

.flow > .blocks:first-child > .blocks:first-child > .blocks:first-child > :first-child {
  margin-block-start: 0;
}

.flow blockquote {
  padding-inline-start: 16px;
  border-inline-start: 3px solid var(--line-colour);
  color: var(--muted);
}

.flow hr {
  border: 0;
  border-block-start: 1px solid var(--line-colour);
}


.flow details {
  border: 1px solid var(--line-colour);
  border-radius: 10px;
  padding: 8px 16px;
}

.flow details[open] {
  padding-block-end: 14px;
}

/* Not a list item: the browser would recount the list items of the whole answer for each summary. */
.flow summary {
  display: block;
  counter-increment: none;
  position: relative;
  padding-inline-start: 20px;
  cursor: pointer;
  font-weight: 600;
}

.flow summary::before {
  content: "";
  position: absolute;
  inset: calc((1em * var(--line) - 6px) / 2) auto auto 2px;
  inline-size: 6px;
  block-size: 6px;
  border: solid currentColor;
  border-width: 0 1.5px 1.5px 0;
  transform: rotate(-45deg);
  transition: transform 140ms;
}

.flow summary:dir(rtl)::before {
  inset-inline: auto 2px;
  transform: rotate(135deg);
}

.flow details[open] > summary::before {
  transform: rotate(45deg);
}

.flow kbd {
  font: 0.8125em/1.4 var(--mono);
  padding: 1px 5px;
  border: 1px solid var(--line-colour);
  border-block-end-width: 2px;
  border-radius: 5px;
  background: var(--raised);
}

.flow :not(pre) > code {
  font: 0.875em var(--mono);
  padding: 0.15em 0.35em;
  border-radius: 5px;
  background: var(--tint);
  overflow-wrap: break-word;
  white-space: break-spaces;
}

.code {
  border: 1px solid var(--line-colour);
  border-radius: 10px;
  background: var(--raised);
  overflow: clip;
}

.code-head {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 12px;
  min-block-size: 36px;
  padding-inline: 14px 6px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 1.5;
  border-block-end: 1px solid var(--line-colour);
  user-select: none;
  -webkit-user-select: none;
}

.language {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.copy {
  flex: none;
  min-block-size: 28px;
  padding-inline: 10px;
  border-radius: 6px;
  transition: background-color 140ms, color 140ms;
}

.flow pre {
  overflow-x: auto;
  padding: 12px 14px;
  font: 0.8438rem/1.5 var(--mono);
  tab-size: 4;
  overflow-wrap: normal;
  white-space: pre;
  overscroll-behavior-x: contain;
}

.flow :is(pre, .table):focus-visible {
  outline-offset: -2px;
}

/* Shadows at the edges beyond which there is more: the first two backgrounds move with the content and cover them. */
.table {
  --edge: color-mix(in srgb, var(--control) 50%, transparent);

  background:
    linear-gradient(90deg, var(--ground) 8px, transparent) 0 / 32px 100% local,
    linear-gradient(270deg, var(--ground) 8px, transparent) 100% / 32px 100% local,
    linear-gradient(90deg, var(--edge), transparent) 0 / 8px 100%,
    linear-gradient(270deg, var(--edge), transparent) 100% / 8px 100%;
  background-repeat: no-repeat;
  overflow-x: auto;
  overscroll-behavior-x: contain;
}

.flow table {
  border-collapse: collapse;
  min-inline-size: 100%;
  font-size: 0.9375rem;
  line-height: 1.5;
  font-variant-numeric: tabular-nums;
  overflow-wrap: break-word;
}

.flow table.fixed {
  table-layout: fixed;
  inline-size: max(100%, var(--table-width));
}

.flow :is(th, td) {
  padding-block: 8px;
  padding-inline: 0 24px;
  border-block-end: 1px solid var(--line-colour);
  vertical-align: top;
  text-align: left;
  min-inline-size: 5rem;
  max-inline-size: 24rem;
}

.table:dir(rtl) :is(th, td) {
  text-align: right;
}

.flow [data-long] {
  min-inline-size: 12rem;
}


.flow th {
  font-weight: 600;
  color: var(--muted);
  font-size: var(--small);
  vertical-align: bottom;
}

.flow :is(th, td):last-child {
  padding-inline-end: 0;
}

.flow .table [data-align="right"] {
  text-align: right;
}

.flow .table [data-align="center"] {
  text-align: center;
}

.flow a:is(.note, .citation) {
  padding-inline: 3px;
  text-decoration: none;
  font-variant-numeric: tabular-nums;
}

.flow a.citation {
  display: inline-block;
  min-inline-size: 1.5em;
  margin-inline: 2px;
  padding-inline: 4px;
  border-radius: 6px;
  background: var(--tint);
  color: var(--muted);
  font-size: 0.6875rem;
  line-height: 1.5;
  text-align: center;
  vertical-align: 2px;
}

.footnote {
  display: grid;
  grid-template-columns: 22px minmax(0, 1fr);
  font-size: 0.875rem;
  color: var(--muted);
}

.footnote .back {
  text-decoration: none;
  font-variant-numeric: tabular-nums;
}

.flow .blocks > .footnote + .footnote {
  margin-block-start: 6px;
}

.flow .blocks > :not(.footnote) + .footnote {
  margin-block-start: 24px;
  padding-block-start: 14px;
  border-block-start: 1px solid var(--line-colour);
}

.math {
  unicode-bidi: isolate;
}

.math.built > .tex {
  font-size: 0;
  padding: 0;
  background: none;
}

.math > math {
  user-select: none;
  -webkit-user-select: none;
}

.math.display {
  display: block;
  overflow-x: auto;
  overflow-y: hidden;
  text-align: center;
}

.math.display.built {
  display: grid;
  justify-content: center;
  padding-block: 2px;
}

p > .display {
  margin-block: 14px;
}

div.math > .tex {
  white-space: pre-wrap;
}

@media (hover: hover) {
  .flow a:hover {
    text-decoration-color: currentColor;
  }

  .copy:hover {
    background: var(--tint);
    color: var(--text);
  }

  .flow a.citation[href]:hover {
    color: var(--accent);
  }
}

@media (pointer: coarse) {
  .copy {
    min-block-size: 44px;
    padding-inline: 14px;
  }

  .code-head {
    padding-inline-end: 2px;
  }
}
`;
