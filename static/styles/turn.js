/** Styles of a turn: question, reasoning, failures, actions, sources. The text of an answer is in `answer.js`. */
export const turnCss = `
.turn {
  margin-block-start: 32px;
}

.question-box {
  display: flex;
  flex-direction: column;
  align-items: flex-end;
  margin-block-end: 8px;
}

.question {
  max-inline-size: 85%;
  padding: 8px 16px;
  border-radius: 20px 20px 6px;
  background: var(--tint);
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}

/* Of the page's direction, not of the text's. */
.question-box:dir(rtl) > .question {
  border-radius: 20px 20px 20px 6px;
}

.question.folded {
  max-block-size: calc(12lh + 16px);
  overflow: hidden;
  mask-image: linear-gradient(#000 calc(100% - 4lh), transparent);
}

.unfold {
  min-block-size: 28px;
  padding-inline: 8px;
  border-radius: 8px;
  color: var(--accent);
  font-size: var(--small);
  font-weight: 600;
}

@media (hover: hover) {
  .unfold:hover {
    background: var(--tint);
  }
}

.flow {
  overflow-wrap: anywhere;
}

.block {
  white-space: pre-wrap;
}

.block + .block {
  margin-block-start: 14px;
}

.block + .block.tight {
  margin-block-start: 0;
}

.waiting {
  display: flex;
  align-items: center;
  gap: 12px;
  min-block-size: 1lh;
  min-block-size: calc(1em * var(--line));
  color: var(--muted);
}

.pulse {
  flex: none;
  inline-size: 10px;
  block-size: 10px;
  border-radius: 50%;
  background: var(--accent);
  animation: breathe 1.8s ease-in-out infinite;
}

.waiting-text {
  font-size: var(--small);
}

@keyframes breathe {
  0%,
  100% {
    opacity: 1;
    transform: scale(1);
  }

  50% {
    opacity: 0.35;
    transform: scale(0.8);
  }
}

.thinking {
  margin-block-end: 14px;
  color: var(--muted);
  font-size: var(--small);
}

.thinking summary {
  display: inline-flex;
  align-items: center;
  gap: 4px;
  min-block-size: 28px;
  cursor: pointer;
  list-style: none;
  border-radius: 6px;
}

.thinking summary::-webkit-details-marker {
  display: none;
}

.thinking summary::before {
  content: "";
  inline-size: 6px;
  block-size: 6px;
  margin-inline: 2px 6px;
  border: solid currentColor;
  border-width: 0 1.5px 1.5px 0;
  transform: rotate(-45deg);
  transition: transform 140ms;
}

.thinking summary:dir(rtl)::before {
  transform: rotate(135deg);
}

.thinking[open] summary::before {
  transform: rotate(45deg);
}

@media (hover: hover) {
  .thinking summary:hover {
    color: var(--text);
  }
}

.thinking .flow {
  margin-block-start: 4px;
  padding-inline-start: 16px;
  border-inline-start: 2px solid var(--line-colour);
}

.problem {
  display: flex;
  gap: 12px;
}

.problem.after {
  margin-block-start: 20px;
}

.problem > .icon {
  color: var(--danger);
  margin-block-start: calc((1em * var(--line) - 20px) / 2);
}

.problem .title {
  font-weight: 600;
}

.problem .advice {
  color: var(--muted);
}

.retry {
  display: inline-flex;
  align-items: center;
  gap: 8px;
  min-block-size: 36px;
  margin-block-start: 12px;
  padding-inline: 12px 16px;
  border: 1px solid var(--control);
  border-radius: 18px;
  font-weight: 600;
  font-size: var(--small);
  transition: opacity 140ms;
}

.retry .icon {
  inline-size: 18px;
  block-size: 18px;
}

@media (hover: hover) {
  .retry:hover {
    background: var(--tint);
  }
}

:is(.switch, .choices) .icon:dir(rtl) {
  transform: scaleX(-1);
}

.turn-actions {
  display: flex;
  align-items: center;
  flex: none;
  margin-inline: auto -6px;
}

.turn-actions.of-question {
  min-block-size: 28px;
  margin-block-start: 4px;
}

.turn-actions > .small {
  opacity: 0;
}

.turn:focus-within .turn-actions > .small,
.turns:last-child > .turn:last-child .tail > .turn-actions > .small {
  opacity: 1;
}

@media (hover: hover) {
  .turn:hover .turn-actions > .small {
    opacity: 1;
  }
}

.switch {
  display: flex;
  align-items: center;
  color: var(--muted);
  font-size: var(--small);
}

.switch .small:disabled {
  visibility: visible;
  opacity: 0.4;
  background: none;
  color: inherit;
  cursor: default;
}

.count {
  min-inline-size: 24px;
  text-align: center;
  font-variant-numeric: tabular-nums;
}

.tail {
  display: flex;
  flex-wrap: wrap;
  align-items: flex-start;
  column-gap: 12px;
  min-block-size: 28px;
  margin-block-start: 8px;
}

.editing {
  inline-size: 100%;
  margin-block-end: 16px;
  padding: 12px 12px 12px 16px;
  border: 1px solid var(--control);
  border-radius: 20px;
  background: var(--raised);
}

.editing:dir(rtl) {
  padding: 12px 16px 12px 12px;
}

.editing:focus-within {
  border-color: var(--accent);
}

.editing textarea {
  display: block;
  inline-size: 100%;
}

.editing .choices {
  justify-content: flex-end;
  margin-block-start: 8px;
}

.editing button {
  min-block-size: 36px;
  padding-inline: 16px;
  border-radius: 18px;
  font-size: var(--small);
  font-weight: 600;
}

@media (hover: hover) {
  .editing button:hover {
    background: var(--tint);
  }
}

.editing .main {
  color: var(--on-accent);
  background: var(--accent);
}

@media (hover: hover) {
  .editing .main:hover {
    color: var(--on-accent);
    background: var(--accent);
  }
}

.choices {
  display: flex;
  flex-wrap: wrap;
  column-gap: 8px;
}

.sources {
  margin-block-start: 24px;
  padding-block-start: 12px;
  border-block-start: 1px solid var(--line-colour);
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.sources h3 {
  margin: 0 0 4px;
  font: inherit;
  font-weight: 600;
}

.sources ol {
  display: grid;
  gap: 8px;
  margin: 0;
  padding: 0;
  list-style: none;
}

.sources li {
  display: grid;
  grid-template-columns: 22px 1fr;
  overflow-wrap: anywhere;
}

.sources .number {
  font-variant-numeric: tabular-nums;
}

.sources a {
  color: var(--accent);
  text-decoration: underline;
  text-decoration-color: color-mix(in srgb, currentColor 40%, transparent);
  text-underline-offset: 3px;
  border-radius: 3px;
}

.sources .title {
  color: var(--text);
}

.sources button.title {
  padding: 0;
  border: 0;
  border-radius: 3px;
  background: none;
  font: inherit;
  text-align: start;
  text-decoration: underline;
  text-decoration-color: color-mix(in srgb, currentColor 40%, transparent);
  text-underline-offset: 3px;
  cursor: pointer;
}

.sources p {
  display: -webkit-box;
  -webkit-box-orient: vertical;
  -webkit-line-clamp: 2;
  line-clamp: 2;
  overflow: hidden;
  margin: 0;
  text-align: -webkit-match-parent;
  text-align: match-parent;
}

.ending {
  margin-block-start: 12px;
  color: var(--muted);
}

.ignored {
  margin-block-start: 12px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.meta {
  display: flex;
  flex-wrap: wrap;
  column-gap: 17px;
  overflow: hidden;
  flex: 1 1 10rem;
  min-block-size: 20px;
  padding-block: 4px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}

/*
 * The separator dot is outside the box of its word, and the line clips it: so no line begins with a dot.
 * Its side follows the direction of the line, because a word may have another direction.
 */
.meta span {
  position: relative;
}

.meta span::before {
  content: "·";
  content: "·" / "";
  position: absolute;
  inset: auto calc(100% + 7px) auto auto;
}

.meta:dir(rtl) span::before {
  inset: auto auto auto calc(100% + 7px);
}

@media (pointer: coarse) {
  .retry,
  .unfold,
  .thinking summary,
  .editing button {
    min-block-size: 44px;
  }

  .editing button {
    border-radius: 22px;
  }

  .turn-actions {
    margin-inline-end: -13px;
  }

  .turn-actions > .small {
    opacity: 1;
  }

  .turn-actions.of-question {
    margin-block: 0 -4px;
  }

  .meta {
    padding-block: 12px;
  }

  .tail {
    margin-block-start: 0;
  }

  .retry {
    border-radius: 22px;
  }
}

@media (prefers-reduced-motion: reduce) {
  .pulse {
    animation: none;
  }
}

@media (forced-colors: active) {
  .question {
    border: 1px solid CanvasText;
  }

  .pulse {
    background: CanvasText;
    forced-color-adjust: none;
  }
}
`;
