/** The page's strings in English. */

/** @typedef {{title: string, advice: string}} FailureText */

/** What happened and what to do next, by failure code. @type {Record<string, FailureText>} */
const failures = {
  upstream_unreachable: {
    title: "Can’t reach the provider.",
    advice: "This is often temporary. Try again in a moment.",
  },
  upstream_tls: {
    title: "The provider’s certificate couldn’t be verified.",
    advice: "Ask the administrator to check the connection.",
  },
  upstream_timeout: {
    title: "The model took too long to respond.",
    advice: "Try again, or send a shorter message.",
  },
  upstream_auth: {
    title: "The provider rejected this server’s API key.",
    advice: "Ask the administrator to set a valid key.",
  },
  upstream_bad_request: {
    title: "The provider rejected the request.",
    advice: "Rephrase your message, or start a new chat if this one is long.",
  },
  upstream_rate_limited: {
    title: "The provider is rate-limiting requests.",
    advice: "Wait a moment, then try again.",
  },
  upstream_quota: {
    title: "The provider account is out of credit.",
    advice: "Ask the administrator to top it up.",
  },
  upstream_overloaded: {
    title: "The provider is overloaded.",
    advice: "Try again in a moment.",
  },
  upstream_stalled: {
    title: "The model stopped responding.",
    advice: "Try again for a complete response.",
  },
  upstream_protocol: {
    title: "The provider sent an invalid response.",
    advice: "Try again. If this keeps happening, tell the administrator.",
  },
  upstream_redirect: {
    title: "The provider redirected the request, which isn’t allowed.",
    advice: "Ask the administrator to check the provider’s address.",
  },
  interrupted: {
    title: "The response was interrupted.",
    advice: "Try again for a complete response.",
  },
  budget_exceeded: {
    title: "The spending limit has been reached.",
    advice: "Try again later, or ask the administrator.",
  },
  internal: {
    title: "Something went wrong on the server.",
    advice: "Try again. If this keeps happening, tell the administrator.",
  },
  gone: {
    title: "This response is no longer available.",
    advice: "Try again to generate a new one.",
  },
  no_images: {
    title: "This model doesn’t support images.",
    advice: "Choose another model, then try again.",
  },
  image_not_found: {
    title: "An image in this message is no longer available.",
    advice: "Add it to a new message and send it again.",
  },
  collection_not_found: { title: "A collection of documents isn’t available any more.", advice: "Remove it above the message field, then try again." },
  conversation_full: {
    title: "This conversation has reached its image limit.",
    advice: "Start a new chat to send more.",
  },
  storage_full: {
    title: "Your storage is full.",
    advice: "Delete chats you don’t need, then try again.",
  },
  refused: {
    title: "The server rejected your message.",
    advice: "Try again, or rephrase it.",
  },
};

/** Why a response ended, where its text does not show it. @type {Record<string, string>} */
const endings = {
  length: "The response reached its length limit. Continue to get the rest.",
  content_filter: "The provider’s content filter stopped this response. Try rephrasing your message.",
  tool_calls: "The model tried to use a tool, but none are available here.",
  stopped: "Stopped.",
  orphan: "Stopped because no one was connected.",
  budget: "Stopped at the spending limit.",
  empty: "The model returned an empty response. Try again, or rephrase your message.",
};

/** What the server reports beside the response. @type {Record<string, string>} */
const notices = {
  queued: "Waiting for a free slot…",
  not_saved: "This response isn’t saved yet.",
  new_version: "A new version is available.",
  loading_model: "Loading the model. This can take a minute.",
};

export const en = {
  name: "Freshet",
  failures,
  endings,
  notices,

  sources: "Sources",
  source: (/** @type {string} */ number) => `Source ${number}`,
  page: (/** @type {string} */ n) => `p. ${n}`,
  pageOf: (/** @type {string} */ n, /** @type {string} */ total) => `Page ${n} of ${total}`,
  previousPage: "Previous page",
  nextPage: "Next page",
  documentGone: "This document isn’t available any more.",
  newChat: "New chat",
  signOut: "Sign out",
  model: "Model",
  settings: "Settings",
  devices: "Devices",
  system: "Instructions",
  systemHint: "What should the model know about you, and how should it respond?",
  temperature: "Temperature",
  maxTokens: "Max response length (tokens)",
  defaultValue: "Default",
  effort: "Reasoning effort",
  efforts: { none: "None", low: "Low", medium: "Medium", high: "High", xhigh: "Extra high", max: "Max" },
  cancel: "Cancel",
  save: "Save",

  speech: "Screen reader",
  speechModes: {
    sentences: "Read responses as they arrive",
    status: "Announce when complete",
    off: "Off",
  },
  scheme: "Appearance",
  schemes: {
    system: "System",
    light: "Light",
    dark: "Dark",
  },

  shortcuts: "Keyboard shortcuts",
  singleKeys: "Single-key shortcuts",
  singleKeysHint: "They work when you’re not typing.",
  keyActions: {
    list: "Show shortcuts",
    stop: "Stop generating",
    write: "Write a message",
    fold: "Show or hide chats",
    copy: "Copy the last response",
    before: "Previous message",
    after: "Next message",
    line: "New line",
  },
  keyNames: { ctrl: "Ctrl", shift: "Shift", enter: "Enter", escape: "Esc" },

  composer: "Message",
  placeholder: "Ask anything",
  send: "Send",
  stop: "Stop",
  queued: "Queued message",
  queuedTitle: "Queued",
  editQueued: "Edit queued message",
  dropQueued: "Remove from queue",

  attach: "Attach files",
  untitled: "Image",
  images: "Images to send",
  imageNumber: (/** @type {string} */ number) => `Image ${number}`,
  imageAdded: (/** @type {string} */ name) => `Added “${name}”`,
  dropImage: (/** @type {string} */ name) => `Remove “${name}”`,
  showImage: "View larger",
  documents: "Documents",
  dropHere: "Drop files or exported chats here",
  imageErrors: {
    unreadable: (/** @type {string} */ name) => `“${name}” isn’t a supported image. Use PNG, JPEG, GIF or WebP.`,
    heavy: (/** @type {string} */ name) => `“${name}” is too large. The limit is 40 MB.`,
    pixels: (/** @type {string} */ name) => `“${name}” has too many pixels. Make it smaller first.`,
    animated: (/** @type {string} */ name) => `“${name}” is animated. Only its first frame will be sent.`,
    tooMany: "You can send up to four images at a time. The rest were left out.",
  },
  tooManyImages: "You can send up to four images at a time. Remove some to send.",
  imagesGone: "Images aren’t kept when the page reloads. Add them again.",
  modelWithoutVision: (/** @type {string} */ model) => `${model} doesn’t support images. Choose another model, or remove the images.`,

  conversations: "Chats",
  searchList: "Search chats",
  earlier: "Earlier",
  noChats: "Your chats will appear here.",
  noResults: "No results",
  listUnavailable: "Couldn’t load your chats.",
  generating: "Generating…",
  importFile: "Import chat",
  importing: (/** @type {string} */ name) => `Importing “${name}”…`,
  importingPart: (/** @type {string} */ name, /** @type {string} */ percent) => `Importing “${name}”… ${percent}`,
  importErrors: {
    notJson: (/** @type {string} */ name) => `“${name}” isn’t a JSON file. Choose a file that was exported by this app, ChatGPT, Claude, LibreChat or Open WebUI.`,
    foreign: (/** @type {string} */ name) => `“${name}” can’t be imported. Choose a file that was exported by this app, ChatGPT, Claude, LibreChat or Open WebUI.`,
    zipEmpty: (/** @type {string} */ name) => `“${name}” contains no chats. Choose a zip file that contains conversations.json.`,
    zipUnreadable: (/** @type {string} */ name) => `“${name}” can’t be unzipped here. Unzip it yourself, then choose the conversations.json inside.`,
    damaged: (/** @type {string} */ name, /** @type {string} */ place) => `“${name}” is damaged at ${place}. Nothing was imported.`,
    tooManyMessages: (/** @type {string} */ name) => `“${name}” has too many messages to import.`,
    tooLarge: (/** @type {string} */ name, /** @type {string} */ size) => `“${name}” is too large. The limit is ${size}.`,
    storageFull: (/** @type {string} */ name) => `Not enough storage for “${name}”. Delete chats you don’t need first.`,
    unavailable: (/** @type {string} */ name) => `Couldn’t import “${name}”. Try again in a moment.`,
  },

  more: (/** @type {string} */ title) => `Options for “${title}”`,
  rename: "Rename",
  title: "Title",
  asMarkdown: "Save as Markdown",
  asJson: "Save as JSON",
  remove: "Delete",
  removed: (/** @type {string} */ title) => `Deleted “${title}”`,
  reload: "Reload",
  undo: "Undo",
  close: "Close",
  actionFailed: "That didn’t work. Try again.",

  share: "Share",
  shareTitle: "Share this conversation",
  link: "Shared link",
  makeLink: "Create link",
  stopSharing: "Stop sharing",
  shareNow: "Anyone with the link can view this conversation as it is now, including images and documents. Later messages and other versions stay private.",
  shareSince: (/** @type {string} */ date) => `Shared on ${date}. Anyone with the link can view the conversation as it was then, including images and documents. Later messages and other versions stay private.`,
  shareLost: (/** @type {string} */ date) => `Shared on ${date}. The link still works but can’t be shown again. Creating a new one disables it.`,
  sharingStopped: "This link no longer works.",

  edit: "Edit message",
  showMore: "Show more",
  showLess: "Show less",
  sendEdited: "Send",
  regenerate: "Regenerate",
  continueAnswer: "Continue",
  copyMarkdown: "Copy as Markdown",
  previousVersion: "Previous version",
  nextVersion: "Next version",
  questionVersions: "Message versions",
  answerVersions: "Response versions",

  missing: {
    title: "Conversation not found.",
    advice: "It may have been deleted, or it belongs to someone else. Send a message to start a new one.",
  },
  away: { title: "Couldn’t load this conversation.", advice: "The server isn’t responding. Try again in a moment." },

  log: "Conversation",
  question: "Your message",
  answer: "Response",
  jumpToLatest: "Jump to latest",
  thinking: "Thinking",
  reasoning: "Reasoning",
  thoughtBriefly: "Thought for less than a second",
  thoughtFor: (/** @type {string} */ duration) => `Thought for ${duration}`,
  retry: "Try again",
  partialSaved: "The partial answer is saved.",
  settingIgnored: (/** @type {string} */ model, /** @type {string} */ setting) => `${model} doesn’t support “${setting}”. This response was generated without it.`,

  emptyTitle: "What would you like to know?",
  emptyModel: (/** @type {string} */ model) => `You’re chatting with ${model}.`,
  suggestions: [
    "Explain tides to a ten-year-old",
    "Plan a quiet weekend by the sea",
    "Write a short thank-you note to a colleague",
  ],

  lost: "Connection lost. Reconnecting…",
  offline: "You’re offline. The response will resume when you reconnect.",
  busy: "The server is busy. Retrying…",
  demo: (/** @type {string} */ settings) => `Demo mode. Set ${settings} and restart to use a real model.`,

  tokensIn: (/** @type {string} */ count) => `${count} in`,
  tokensOut: (/** @type {string} */ count) => `${count} out`,
  perSecond: (/** @type {string} */ rate) => `${rate} tokens/s`,
  approximately: (/** @type {string} */ text) => `≈ ${text}`,
  estimated: "estimated",

  code: "Code",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Select and copy manually",
  table: "Table",
  task: "Task",
  picture: (/** @type {string} */ count) => `Image ${count}`,
  footnote: (/** @type {string} */ number) => `Back to reference ${number}`,

  announcements: {
    sent: "Message sent.",
    stopped: "Response stopped.",
    failed: "Response failed.",
    copied: "Response copied.",
    complete: (/** @type {string} */ count) => `Response complete, ${count}.`,
    code: (/** @type {string} */ language, /** @type {string} */ lines) => `Code, ${language}, ${lines}.`,
    plainCode: (/** @type {string} */ lines) => `Code, ${lines}.`,
    table: (/** @type {string} */ rows, /** @type {string} */ columns) => `Table, ${rows}, ${columns}.`,
    formula: "formula",
  },

  /** Quantities; `form` is the number's plural category in `Intl.PluralRules`. */
  counts: {
    words: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} word` : `${n} words`),
    lines: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} line` : `${n} lines`),
    rows: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} row` : `${n} rows`),
    columns: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} column` : `${n} columns`),
  },
};

/** @typedef {typeof en} Words */
