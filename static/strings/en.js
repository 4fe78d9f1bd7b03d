/** Every word of the page that a person reads, in English. */

/** @typedef {{title: string, advice: string}} Trouble */

/** Failures by code: what happened, and the next step. @type {Record<string, Trouble>} */
const troubles = {
  upstream_unreachable: {
    title: "The model’s service can’t be reached.",
    advice: "This often passes. Try again in a moment.",
  },
  upstream_tls: {
    title: "The model’s service could not prove who it is.",
    advice: "Its certificate was refused. Whoever runs this server has to look at it.",
  },
  upstream_timeout: {
    title: "The model did not begin to answer in time.",
    advice: "Try again, or ask something shorter.",
  },
  upstream_auth: {
    title: "The model’s service refused this server’s key.",
    advice: "Whoever runs this server has to set a valid one.",
  },
  upstream_bad_request: {
    title: "The model’s service did not accept the request.",
    advice: "Start a new chat if this one has grown long, or ask in another way.",
  },
  upstream_rate_limited: {
    title: "The model’s service has more requests than it takes.",
    advice: "Wait a little, then try again.",
  },
  upstream_quota: {
    title: "The account at the model’s service is used up.",
    advice: "Whoever runs this server has to top it up.",
  },
  upstream_overloaded: {
    title: "The model’s service is overloaded.",
    advice: "Try again in a moment.",
  },
  upstream_stalled: {
    title: "The model fell silent in the middle of its answer.",
    advice: "Try again to get a whole one.",
  },
  upstream_protocol: {
    title: "The model’s service sent something that can’t be read.",
    advice: "Try again. If it happens every time, tell whoever runs this server.",
  },
  upstream_redirect: {
    title: "The model’s service sent the request elsewhere, and it was not followed.",
    advice: "Whoever runs this server has to check its address.",
  },
  interrupted: {
    title: "The answer was cut off on its way.",
    advice: "Try again to get a whole one.",
  },
  budget_exceeded: {
    title: "The spending limit is reached.",
    advice: "Try again later, or ask whoever runs this server.",
  },
  internal: {
    title: "Something went wrong on this server.",
    advice: "Try again. If it happens every time, tell whoever runs it.",
  },
  gone: {
    title: "The server does not have this answer any more.",
    advice: "Try again to get a new one.",
  },
  no_images: {
    title: "This model can’t see images.",
    advice: "Choose another model, then try again.",
  },
  image_not_found: {
    title: "An image of this question was not kept.",
    advice: "Add it to a new question and ask once more.",
  },
  conversation_full: {
    title: "This conversation holds as many images as one can.",
    advice: "Begin a new chat to show more.",
  },
  storage_full: {
    title: "Your storage is full.",
    advice: "Delete conversations you don’t need, then try again.",
  },
  refused: {
    title: "The server did not accept the question.",
    advice: "Try again, or ask in another way.",
  },
};

/** How an answer ended, where it is worth a word. @type {Record<string, string>} */
const endings = {
  length: "The answer reached the longest length allowed. Ask it to go on.",
  content_filter: "The model’s content filter ended this answer. Ask in another way.",
  tool_calls: "The model asked for a tool, and there is none here.",
  stopped: "Stopped.",
  orphan: "Stopped, because nobody was reading.",
  budget: "Stopped at the spending limit.",
  empty: "The model gave an empty answer. Try again, or ask in another way.",
};

/** What the server tells beside the answer. @type {Record<string, string>} */
const notices = {
  queued: "Waiting for a free place",
  not_saved: "This answer is not saved yet.",
  new_version: "A newer version is ready.",
};

export const en = {
  name: "Freshet",
  troubles,
  endings,
  notices,

  sources: "Sources",
  source: (/** @type {string} */ number) => `Source ${number}`,
  newChat: "New chat",
  signOut: "Sign out",
  model: "Model",
  settings: "Settings",
  devices: "Devices",
  system: "Instructions",
  systemHint: "What the model should know about you and how it should answer",
  temperature: "Temperature",
  longest: "Longest answer, in tokens",
  ownChoice: "as it comes",
  cancel: "Cancel",
  save: "Save",

  speech: "Screen reader",
  speechModes: {
    sentences: "Reads answers out as they come",
    status: "Says only when they are complete",
    off: "Says nothing",
  },
  scheme: "Appearance",
  schemes: {
    system: "As on the device",
    light: "Light",
    dark: "Dark",
  },

  shortcuts: "Keyboard shortcuts",
  singleKeys: "Use single keys",
  singleKeysHint: "They work wherever you are not writing.",
  deeds: {
    list: "Show this list",
    stop: "Stop the answer",
    write: "Write a message",
    fold: "Show or hide the conversations",
    copy: "Copy the last answer",
    before: "Previous message",
    after: "Next message",
    line: "New line",
  },
  keyNames: { ctrl: "Ctrl", shift: "Shift", enter: "Enter", escape: "Esc" },

  composer: "Message",
  placeholder: "Ask anything",
  send: "Send",
  stop: "Stop",
  queued: "Sent when the answer is complete",
  editQueued: "Edit the waiting message",
  dropQueued: "Take the waiting message back",

  addImages: "Add images",
  untitled: "An image",
  images: "Images to send",
  imageNumber: (/** @type {string} */ number) => `Image ${number}`,
  imageAdded: (/** @type {string} */ name) => `Added: “${name}”`,
  dropImage: (/** @type {string} */ name) => `Remove “${name}”`,
  showImage: "Show larger",
  dropHere: "Drop images here",
  unfit: {
    unreadable: (/** @type {string} */ name) => `“${name}” can’t be read as an image. PNG, JPEG, GIF and WebP work.`,
    heavy: (/** @type {string} */ name) => `“${name}” is too large: an image may have 40 MB.`,
    pixels: (/** @type {string} */ name) => `“${name}” has too many pixels. Make it smaller first.`,
    moves: (/** @type {string} */ name) => `“${name}” moves. Only its first picture is sent.`,
    many: "A question takes four images. The others were left out.",
  },
  tooManyImages: "A question takes four images. Remove some to send it.",
  imagesGone: "Images are not kept over a reload. Add them again.",
  blind: (/** @type {string} */ model) => `${model} can’t see images. Choose another model, or remove the images.`,

  conversations: "Conversations",
  searchList: "Search conversations",
  earlier: "Earlier",
  noneYet: "What you ask will be listed here.",
  noneFound: "Nothing found.",
  listAway: "The list can’t be loaded now.",
  running: "An answer is being made",
  bring: "Import a conversation",
  bringing: (/** @type {string} */ name) => `Importing “${name}” …`,
  notBrought: {
    json: (/** @type {string} */ name) => `“${name}” is not a JSON file. Choose one that was saved with “Save as JSON”.`,
    foreign: (/** @type {string} */ name) => `“${name}” is not a conversation saved by this chat. Choose one that was saved with “Save as JSON”.`,
    broken: (/** @type {string} */ name, /** @type {string} */ place) => `“${name}” is damaged at ${place}, so nothing of it was imported.`,
    many: (/** @type {string} */ name) => `“${name}” has more messages than a conversation can have here.`,
    large: (/** @type {string} */ name, /** @type {string} */ size) => `“${name}” is too large: a file may have ${size}.`,
    full: (/** @type {string} */ name) => `There is no room for “${name}”. Delete conversations that you do not need first.`,
    away: (/** @type {string} */ name) => `“${name}” could not be imported now. Try again in a moment.`,
  },

  more: (/** @type {string} */ title) => `More about “${title}”`,
  rename: "Rename",
  title: "Title",
  asMarkdown: "Save as Markdown",
  asJson: "Save as JSON",
  remove: "Delete",
  removed: (/** @type {string} */ title) => `Deleted: “${title}”`,
  reload: "Reload",
  undo: "Undo",
  close: "Close",
  notDone: "That did not work. Try again.",

  share: "Share",
  shareTitle: "Share this conversation",
  link: "Shared link",
  makeLink: "Make a link",
  stopSharing: "Stop sharing",
  shareNow: "Whoever has the link can read this conversation as it is now, with its images. What you ask later, and other versions, stay private.",
  shareSince: (/** @type {string} */ date) => `Shared since ${date}: whoever has the link can read the conversation as it was then, with its images. What came later, and other versions, stay private.`,
  shareLost: (/** @type {string} */ date) => `Shared since ${date}. The link goes on working, but it can’t be shown again here. A new one ends it.`,
  unshared: "The link shows nothing any more.",

  edit: "Edit the question",
  askInstead: "Ask this instead",
  regenerate: "Answer again",
  goOn: "Continue",
  copyMarkdown: "Copy as Markdown",
  earlierVersion: "Version before",
  laterVersion: "Version after",
  questionVersions: "Versions of the question",
  answerVersions: "Versions of the answer",

  missing: {
    title: "This conversation is not here.",
    advice: "It may have been deleted, or it is somebody else’s. Ask below to begin a new one.",
  },
  away: { title: "This conversation can’t be loaded now.", advice: "The server does not answer. Try again in a moment." },

  log: "Conversation",
  question: "You asked",
  answer: "Answer",
  toBottom: "To the latest text",
  thinking: "Thinking",
  thoughtFor: (/** @type {string} */ duration) => `Thought for ${duration}`,
  retry: "Try again",
  partial: "What came until then is kept.",

  emptyTitle: "What would you like to know?",
  emptyModel: (/** @type {string} */ model) => `Answers come from ${model}.`,
  suggestions: [
    "Explain tides to a ten-year-old",
    "Plan a quiet weekend by the sea",
    "Write a short thank-you note to a colleague",
  ],

  lost: "Connection lost. The answer goes on by itself.",
  offline: "You are offline. The answer goes on when the network is back.",
  busy: "The server is busy. Trying again by itself.",
  demo: (/** @type {string} */ settings) => `Demo answers. For real ones set ${settings}.`,
  or: "or",

  tokensIn: (/** @type {string} */ count) => `${count} in`,
  tokensOut: (/** @type {string} */ count) => `${count} out`,
  perSecond: (/** @type {string} */ rate) => `${rate} tokens/s`,
  about: (/** @type {string} */ text) => `≈ ${text}`,
  estimated: "estimated",

  code: "Code",
  copy: "Copy",
  copied: "Copied",
  notCopied: "Select and copy it",
  table: "Table",
  task: "Task",
  picture: (/** @type {string} */ count) => `Picture ${count}`,
  footnote: (/** @type {string} */ number) => `Note ${number}: back to the text`,

  said: {
    asked: "Question sent.",
    stopped: "The answer is stopped.",
    failed: "The answer failed.",
    copied: "Answer copied.",
    complete: (/** @type {string} */ count) => `Answer complete, ${count}.`,
    code: (/** @type {string} */ language, /** @type {string} */ lines) => `Code, ${language}, ${lines}.`,
    plainCode: (/** @type {string} */ lines) => `Code, ${lines}.`,
    table: (/** @type {string} */ rows, /** @type {string} */ columns) => `Table, ${rows}, ${columns}.`,
    formula: "formula",
  },

  /** How many there are of something; `form` is the plural form of the number. */
  counts: {
    words: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} word` : `${n} words`),
    lines: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} line` : `${n} lines`),
    rows: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} row` : `${n} rows`),
    columns: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} column` : `${n} columns`),
  },
};

/** @typedef {typeof en} Words */
