/** Styles of the list of conversations, which comes beside the first picture. */
export const listCss = `
.list { position: relative; display: flex; flex-direction: column; block-size: 100%; min-block-size: 0; }
.head { display: flex; flex: none; gap: 4px; padding-block-end: 8px; }
.search { position: relative; flex: 1; min-inline-size: 0; }
.bringing { flex: none; margin-inline-end: -2px; }
.list .small.bring { inline-size: 36px; block-size: 36px; border-radius: 10px; }
.list .small.bring:hover { background: var(--tint); }
.bring .icon { inline-size: 20px; block-size: 20px; }
.list .bring[aria-disabled] { opacity: .5; cursor: default; }
.search .icon { position: absolute; inset-block-start: 9px; inset-inline-start: 11px; inline-size: 18px; block-size: 18px; color: var(--muted); pointer-events: none; }
.list input { inline-size: 100%; min-block-size: 36px; padding-block: 4px; padding-inline: 12px; border: 1px solid var(--line-colour); border-radius: 10px; background: var(--raised); color: inherit; font: inherit; font-size: 0.875rem; }
.list input:focus-visible { border-color: var(--accent); outline: 1px solid var(--accent); outline-offset: 0; }
.search input { padding-inline-start: 38px; }
.search input::placeholder { color: var(--muted); opacity: 1; }
.rows { flex: 1; min-block-size: 0; margin-inline: -4px; padding-inline: 4px; overflow-y: auto; overscroll-behavior: contain; scrollbar-width: thin; }
.list :is(ul, h2) { margin: 0; padding: 0; list-style: none; }
.list h2 { padding: 12px 12px 4px; color: var(--muted); font: inherit; font-size: var(--small); line-height: 20px; }
.list li + li { margin-block-start: 2px; }
.line { display: flex; position: relative; border-radius: 10px; }
.line[hidden] { display: none; }
.line:is(:hover, :focus-within) { background: var(--tint); }
.line a { display: flex; flex: 1; align-items: center; gap: 8px; min-inline-size: 0; min-block-size: 36px; padding-inline: 12px 36px; border-radius: inherit; color: inherit; font-size: 0.875rem; text-decoration: none; }
.line .title { flex: 1; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.line a[aria-current] { background: var(--tint); font-weight: 600; }
.dot { flex: none; inline-size: 8px; block-size: 8px; border-radius: 50%; background: var(--accent); forced-color-adjust: none; }
.list .small { display: grid; flex: none; place-items: center; inline-size: 32px; block-size: 32px; padding: 0; border: 0; border-radius: 8px; background: none; color: var(--muted); cursor: pointer; }
.list .small:hover { color: var(--text); }
.list .small.more { position: absolute; inset-block-start: 2px; inset-inline-end: 2px; opacity: 0; transition: opacity 140ms; }
.list .more .icon { stroke-width: 2.5; }
.line:is(:hover, :focus-within) .more, .list .more[aria-expanded="true"] { opacity: 1; }
.list .deeds { display: grid; margin-block: 2px 8px; margin-inline-start: 12px; border-inline-start: 1px solid var(--line-colour); }
.list .deeds[hidden] { display: none; }
.list .deeds > * { display: flex; align-items: center; min-block-size: 32px; margin-inline-start: 4px; padding-inline: 10px; border: 0; border-radius: 8px; background: none; color: inherit; font: inherit; font-size: var(--small); text-align: start; text-decoration: none; cursor: pointer; }
.list .deeds > :hover { background: var(--tint); }
.list .deeds > .danger { color: var(--danger); }
.said { margin: 12px; color: var(--muted); font-size: var(--small); }
.said:empty { display: none; }
.end { block-size: 12px; }
.box { position: absolute; inset-block-end: 12px; inset-inline: 0; display: flex; align-items: center; gap: 4px; padding: 4px 4px 4px 14px; border: 1px solid var(--line-colour); border-radius: 12px; background: var(--raised); box-shadow: var(--shadow); font-size: var(--small); line-height: 20px; }
.box:dir(rtl) { padding: 4px 14px 4px 4px; }
.box[hidden] { display: none; }
.what { flex: 1; min-inline-size: 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.told .what { padding-block: 6px; white-space: normal; overflow-wrap: anywhere; }
.undo { flex: none; min-block-size: 32px; padding-inline: 8px; border: 0; border-radius: 8px; background: none; color: var(--accent); font: inherit; font-weight: 600; cursor: pointer; }
.undo[hidden] { display: none; }
@media (pointer: coarse) {
  .list input, .line a, .undo, .list .deeds > * { min-block-size: 44px; }
  .search .icon { inset-block-start: 13px; }
  .line a { padding-inline-end: 44px; }
  .list .small, .list .small.more, .list .small.bring { inset-block-start: 0; inset-inline-end: 0; inline-size: 44px; block-size: 44px; opacity: 1; }
  .list input { font-size: 1rem; }
}
@media (prefers-reduced-motion: reduce) {
  .list .small.more { transition: none; }
}
@media (forced-colors: active) {
  .line a[aria-current] { background: Highlight; color: HighlightText; forced-color-adjust: none; }
}
`;
