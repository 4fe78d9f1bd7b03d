/** Styles of the log: turns, answers and how they end. Colours and sizes are tokens of the page. */
export const logCss = `
:host { display: flex; flex-direction: column; min-block-size: 0; block-size: 100%; position: relative;
  color: var(--text); background: var(--ground); font: var(--type); }
*, ::before, ::after { box-sizing: border-box; }
p, h2, ul { margin: 0; padding: 0; font: inherit; }
ul { list-style: none; }
[hidden] { display: none !important; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; touch-action: manipulation; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.unseen { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { inline-size: 20px; block-size: 20px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.icon.filled { fill: currentColor; stroke: none; }

.scroller { flex: 1; min-block-size: 0; overflow-y: auto; overflow-x: hidden; overflow-anchor: none; overscroll-behavior: contain;
  padding-inline: var(--gutter); scrollbar-gutter: stable both-edges; }
.scroller:focus-visible { outline-offset: -2px; }
.column { max-inline-size: var(--measure); min-block-size: 100%; margin-inline: auto; padding-block: 0 48px;
  display: flex; flex-direction: column; }

/* What a box clips must not be clipped: outlines, and what stands out of the column. */
.turns { margin-inline: -16px; padding-inline: 16px; }
.message { display: flex; flex-direction: column; border-radius: 8px; }
.message:focus-visible { outline-offset: 6px; }
.turn { margin-block-start: 32px; }
.questioning { display: flex; flex-direction: column; align-items: flex-end; margin-block-end: 8px; }
.question { max-inline-size: 85%; padding: 8px 16px; border-radius: 20px; border-end-end-radius: 6px;
  background: var(--tint); white-space: pre-wrap; overflow-wrap: anywhere; }
.flow { overflow-wrap: anywhere; }
.block { white-space: pre-wrap; }
.block + .block { margin-block-start: 14px; }
.block + .block.tight { margin-block-start: 0; }

.waiting { display: flex; align-items: center; gap: 12px; min-block-size: 1lh; min-block-size: calc(1em * var(--line)); color: var(--muted); }
.pulse { flex: none; inline-size: 10px; block-size: 10px; border-radius: 50%; background: var(--accent); animation: breathe 1.8s ease-in-out infinite; }
.waiting-text { font-size: var(--small); }
@keyframes breathe { 0%, 100% { opacity: 1; transform: scale(1); } 50% { opacity: .35; transform: scale(.8); } }

.thinking { margin-block-end: 14px; color: var(--muted); font-size: var(--small); }
.thinking summary { display: inline-flex; align-items: center; gap: 4px; min-block-size: 28px; cursor: pointer; list-style: none; border-radius: 6px; }
.thinking summary::-webkit-details-marker { display: none; }
.thinking summary::before { content: ""; inline-size: 6px; block-size: 6px; margin-inline: 2px 6px; border: solid currentColor; border-width: 0 1.5px 1.5px 0;
  transform: rotate(-45deg); transition: transform 140ms; }
.thinking summary:dir(rtl)::before { transform: rotate(135deg); }
.thinking[open] summary::before { transform: rotate(45deg); }
.thinking summary:hover { color: var(--text); }
.thinking .flow { margin-block-start: 4px; padding-inline-start: 16px; border-inline-start: 2px solid var(--line-colour); }

.problem { display: flex; gap: 12px; }
.problem.after { margin-block-start: 20px; }
.problem > .icon { color: var(--danger); margin-block-start: calc((1em * var(--line) - 20px) / 2); }
.problem .title { font-weight: 600; }
.problem .advice { color: var(--muted); }
.retry { display: inline-flex; align-items: center; gap: 8px; min-block-size: 36px; margin-block-start: 12px; padding-inline: 12px 16px;
  border: 1px solid var(--control); border-radius: 18px; font-weight: 600; font-size: var(--small); transition: opacity 140ms; }
.retry .icon { inline-size: 18px; block-size: 18px; }
.retry:hover { background: var(--tint); }

.small { display: grid; place-items: center; flex: none; inline-size: 28px; block-size: 28px; border-radius: 8px; color: var(--muted); transition: opacity 140ms; }
.small .icon { inline-size: 16px; block-size: 16px; }
.small:hover { color: var(--text); background: var(--tint); }
.small:disabled { visibility: hidden; }
:is(.switch, .choices) .icon:dir(rtl) { transform: scaleX(-1); }
.deeds { display: flex; align-items: center; flex: none; margin-inline: auto -6px; }
.deeds.asked { min-block-size: 28px; margin-block-start: 4px; }
.deeds > .small { opacity: 0; }
.turn:is(:hover, :focus-within) .deeds > .small, .turns:last-child > .turn:last-child .tail > .deeds > .small { opacity: 1; }
.switch { display: flex; align-items: center; color: var(--muted); font-size: var(--small); }
.switch .small:disabled { visibility: visible; opacity: .4; background: none; color: inherit; cursor: default; }
.count { min-inline-size: 24px; text-align: center; font-variant-numeric: tabular-nums; }
.tail { display: flex; flex-wrap: wrap; align-items: flex-start; column-gap: 12px; min-block-size: 28px; margin-block-start: 8px; }
.editing { inline-size: 100%; margin-block-end: 16px; padding: 12px 12px 12px 16px; border: 1px solid var(--control); border-radius: 20px; background: var(--raised); }
.editing:dir(rtl) { padding: 12px 16px 12px 12px; }
.editing:focus-within { border-color: var(--accent); }
.editing textarea { display: block; inline-size: 100%; }
.editing .choices { justify-content: flex-end; margin-block-start: 8px; }
.editing button { min-block-size: 36px; padding-inline: 16px; border-radius: 18px; font-size: var(--small); font-weight: 600; }
.editing button:hover { background: var(--tint); }
.editing .main, .editing .main:hover { color: var(--on-accent); background: var(--accent); }
.choices { display: flex; flex-wrap: wrap; column-gap: 8px; }

.sources { margin-block-start: 24px; padding-block-start: 12px; border-block-start: 1px solid var(--line-colour); color: var(--muted); font-size: var(--small); line-height: 20px; }
.sources h3 { margin: 0 0 4px; font: inherit; font-weight: 600; }
.sources ol { display: grid; gap: 8px; margin: 0; padding: 0; list-style: none; }
.sources li { display: grid; grid-template-columns: 22px 1fr; overflow-wrap: anywhere; }
.sources .number { font-variant-numeric: tabular-nums; }
.sources a { color: var(--accent); text-decoration: underline; text-decoration-color: color-mix(in srgb, currentColor 40%, transparent);
  text-underline-offset: 3px; border-radius: 3px; }
.sources .title { color: var(--text); }
.sources p { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; line-clamp: 2; overflow: hidden; margin: 0; text-align: -webkit-match-parent; text-align: match-parent; }

.ending { margin-block-start: 12px; color: var(--muted); }
.meta { display: flex; flex-wrap: wrap; column-gap: 17px; overflow: hidden; flex: 1 1 10rem; min-block-size: 20px; padding-block: 4px; color: var(--muted); font-size: var(--small);
  line-height: 20px; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
/* The dot stands before its word and outside the line's box, so that no line begins with one. Its side is the line's: a word may have a direction of its own. */
.meta span { position: relative; }
.meta span::before { content: "·"; content: "·" / ""; position: absolute; inset: auto calc(100% + 7px) auto auto; }
.meta:dir(rtl) span::before { inset: auto auto auto calc(100% + 7px); }

.empty { margin-block: auto; padding-block: 48px 24px; }
.empty h2 { font-size: var(--large); line-height: 1.3; font-weight: 600; letter-spacing: -.01em; text-wrap: balance; }
.empty > p { margin-block: 4px 24px; color: var(--muted); min-block-size: calc(1em * var(--line)); }
.empty li + li { border-block-start: 1px solid var(--line-colour); }
.empty button { display: flex; align-items: center; justify-content: space-between; gap: 12px; inline-size: calc(100% + 24px); margin-inline: -12px;
  min-block-size: 48px; padding: 8px 12px; text-align: start; border-radius: 8px; }
.empty li span { min-inline-size: 0; overflow-wrap: anywhere; }
.empty .icon { color: var(--muted); stroke-width: 1.5; transition: transform 140ms; }
.empty .icon:dir(rtl) { transform: scaleX(-1); }
.empty button:hover { background: var(--tint); }

@media (pointer: coarse) {
  .retry, .thinking summary, .editing button { min-block-size: 44px; }
  .editing button { border-radius: 22px; }
  .small { inline-size: 44px; block-size: 44px; }
  .small .icon { inline-size: 18px; block-size: 18px; }
  .deeds { margin-inline-end: -13px; }
  .deeds > .small { opacity: 1; }
  .deeds.asked { margin-block: 0 -4px; }
  .meta { padding-block: 12px; }
  .tail { margin-block-start: 0; }
  .retry { border-radius: 22px; }
}
@media (prefers-reduced-motion: reduce) {
  .pulse { animation: none; }
  * { transition: none !important; }
}
@media (forced-colors: active) {
  .question { border: 1px solid CanvasText; }
  .pulse { background: CanvasText; forced-color-adjust: none; }
}
`;
