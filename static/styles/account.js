/**
 * `styles/`: CSS for the elements, as modules, because a constructed sheet needs its text at once. The page's
 * own styles are the `.css` files beside them.
 */
/** Styles of the devices dialog, and of the offer to move a visitor's conversations into an account. */
export const accountCss = `
.devices p {
  margin: 0;
}

.devices .intro {
  margin-block-end: 12px;
  color: var(--muted);
  font-size: var(--small);
}

.devices ul {
  min-block-size: 64px;
  margin: 0;
  padding: 0;
  list-style: none;
}

.devices li {
  display: flex;
  align-items: center;
  justify-content: space-between;
  gap: 16px;
  min-block-size: 64px;
  padding-block: 10px;
}

.devices li + li {
  border-block-start: 1px solid var(--line-colour);
}

.devices .device span {
  display: block;
  text-align: -webkit-match-parent;
  text-align: match-parent;
  overflow-wrap: anywhere;
}

.devices .device {
  min-inline-size: 0;
  line-height: 22px;
}

.devices .device span + span {
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.devices .device .here {
  color: var(--accent);
}

.devices li button {
  flex: none;
  min-block-size: 36px;
  padding-inline: 14px;
  border-radius: 10px;
  font-size: var(--small);
}

@media (hover: hover) {
  .devices button:hover {
    background: var(--tint);
  }
}

.devices .status {
  min-block-size: 20px;
  margin-block-start: 8px;
  color: var(--muted);
  font-size: var(--small);
  line-height: 20px;
}

.devices .actions {
  margin-block-start: 12px;
}

.devices .actions[hidden],
.devices .actions button[hidden] {
  display: none;
}

.devices button[aria-disabled="true"] {
  cursor: default;
  opacity: 0.5;
}

.list .moving {
  flex: none;
  margin-block-end: 8px;
  padding: 10px 12px 6px;
  border-radius: 10px;
  background: var(--tint);
  font-size: var(--small);
  line-height: 20px;
}

.moving p {
  margin: 0;
  text-wrap: pretty;
}

.moving button {
  min-block-size: 32px;
  padding: 4px 0;
  border: 0;
  background: none;
  color: var(--accent);
  font: inherit;
  font-weight: 600;
  text-align: start;
  cursor: pointer;
}

@media (hover: hover) {
  .moving button:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }
}

.moving button[aria-disabled="true"] {
  cursor: default;
  opacity: 0.5;
  text-decoration: none;
}

@media (pointer: coarse) {
  .devices li button,
  .moving button {
    min-block-size: 44px;
  }
}

@media (forced-colors: active) {
  .list .moving {
    border: 1px solid;
  }
}
`;
