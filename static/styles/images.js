/** Styles of images: in the composer's tray, in a question's gallery, and in the full-screen viewer. */
export const imagesCss = `
.composer {
  position: relative;
  padding-inline-start: 7px;
}

.composer:dir(rtl) {
  padding: 7px;
}

.attach {
  display: grid;
  place-items: center;
  flex: none;
  inline-size: 36px;
  block-size: 36px;
  border-radius: 50%;
  color: var(--muted);
}

@media (hover: hover) {
  @media (hover: hover) {
    .attach:hover {
      color: var(--text);
      background: var(--tint);
    }
  }
}

.drop-target {
  position: absolute;
  inset: -1px;
  z-index: 1;
  display: grid;
  place-items: center;
  border: 2px dashed var(--accent);
  border-radius: 26px;
  color: var(--accent);
  background: var(--raised);
  font-weight: 600;
  pointer-events: none;
}

.tray {
  display: flex;
  flex: 1 0 100%;
  flex-wrap: wrap;
  gap: 8px;
  padding: 5px 5px 4px;
}

.tray li {
  position: relative;
  inline-size: 72px;
  block-size: 72px;
  border-radius: 12px;
  background: var(--tint);
}

.tray img,
.gallery img {
  display: block;
  inline-size: 100%;
  block-size: 100%;
  object-fit: cover;
  border-radius: inherit;
}

.tray img {
  border: 1px solid var(--line-colour);
}

/* Else a white image has no edge on a white page. */
.gallery img {
  outline: 1px solid color-mix(in srgb, var(--text) 14%, transparent);
  outline-offset: -1px;
}

.tray .reading {
  animation: breathe 1.8s ease-in-out infinite;
}

.tray button {
  position: absolute;
  inset-block-start: -6px;
  inset-inline-end: -6px;
  display: grid;
  place-items: center;
  inline-size: 24px;
  block-size: 24px;
  border-radius: 50%;
  color: var(--ground);
  background: var(--text);
}

.tray .icon {
  inline-size: 14px;
  block-size: 14px;
  stroke-width: 2;
}

.queued-images {
  display: flex;
  flex: none;
  gap: 4px;
}

.queued-images:empty {
  display: none;
}

.queued-images img {
  inline-size: 28px;
  block-size: 28px;
  object-fit: cover;
  border-radius: 6px;
}

.gallery {
  display: flex;
  flex-wrap: wrap;
  justify-content: flex-end;
  gap: 8px;
  inline-size: min(296px, 85%);
}

.gallery + .question {
  margin-block-start: 8px;
}

.gallery button {
  inline-size: calc(50% - 4px);
  aspect-ratio: 1;
  border-radius: 16px;
  overflow: clip;
  background: var(--tint);
  color: var(--muted);
  font-size: var(--small);
  cursor: zoom-in;
}

.gallery.alone {
  inline-size: min(320px, 85%);
}

.gallery.alone button {
  inline-size: 100%;
  max-inline-size: 100%;
  aspect-ratio: 4 / 3;
}

.viewer {
  position: fixed;
  inset: 0;
  inline-size: 100vw;
  block-size: 100dvh;
  max-inline-size: none;
  max-block-size: none;
  margin: 0;
  padding: 0;
  border: 0;
  color: var(--text);
  background: none;
  cursor: zoom-out;
}

.viewer[open] {
  display: grid;
  place-items: center;
}

.viewer::backdrop {
  background: rgb(10 15 15 / 80%);
}

.viewer img {
  min-inline-size: 0;
  min-block-size: 0;
  max-inline-size: calc(100vw - 32px);
  max-block-size: calc(100dvh - 32px);
  object-fit: contain;
  border-radius: 8px;
  background: var(--tint);
}

.close {
  position: fixed;
  inset-block-start: max(12px, env(safe-area-inset-top));
  inset-inline-end: 12px;
  display: grid;
  place-items: center;
  inline-size: 44px;
  block-size: 44px;
  border-radius: 50%;
  background: var(--raised);
  box-shadow: var(--shadow);
}

@media (hover: hover) {
  .close:hover {
    background: var(--tint);
  }
}

@media (pointer: coarse) {
  .composer {
    padding-inline-start: 3px;
  }

  .composer:dir(rtl) {
    padding: 3px;
  }

  .attach {
    inline-size: 44px;
    block-size: 44px;
  }

  .tray {
    gap: 12px;
  }

  .tray button::before {
    content: "";
    position: absolute;
    inset: -10px;
  }
}

@media (prefers-reduced-motion: reduce) {
  .tray .reading {
    animation: none;
  }
}

@media (forced-colors: active) {
  .tray button {
    border: 1px solid ButtonText;
  }
}
`;
