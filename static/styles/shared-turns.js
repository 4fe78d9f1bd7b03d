/** Styles of a shared conversation's turns, in addition to the chat's own sheets. */
export const sharedTurnsCss = `
.turn + .turn {
  margin-block-start: 32px;
}

.pictures {
  display: flex;
  flex-wrap: wrap;
  justify-content: flex-end;
  gap: 8px;
  margin-block-end: 8px;
}

.pictures a {
  border-radius: 14px;
}

.pictures img {
  display: block;
  block-size: 180px;
  inline-size: auto;
  max-inline-size: 100%;
  min-inline-size: 96px;
  object-fit: cover;
  border-radius: 14px;
  background: var(--tint);
}

.question-box {
  margin-block-end: 16px;
}

.turn .meta {
  margin-block-start: 8px;
}
`;
