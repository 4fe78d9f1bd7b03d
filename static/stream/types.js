/**
 * What the floors promise each other: types only, no code. Edges meet here and never import each other.
 */

/** @typedef {import("./frames.js").Received} Received */

/**
 * @typedef {object} Wishes how a person wants to be answered; what is left out is the server's choice
 * @property {string} [model]
 * @property {string} [system] the instruction above the conversation
 * @property {number} [temperature] 0 to 2
 * @property {number} [max_tokens] the longest answer
 */

/**
 * @typedef {object} Picture an image of a question
 * @property {string} id the SHA-256 of its bytes: its conversation keeps it by that
 * @property {number} width in pixels; 0 where it is not known
 * @property {number} height
 * @property {string} [data] a data URL, where it is at hand
 */

/**
 * @typedef {object} Place what a turn asks, and where in its conversation
 * @property {string} conversation
 * @property {string} [query] a new question; without it and images `parent` is a question that is answered again
 * @property {string[]} [images] of the question: data URLs, or ids of images that the conversation has
 * @property {string | null} [parent] the message that it stands on; null: before the first
 * @property {string} [continue] the answer that is to go on, instead of both
 */

/** @typedef {Wishes & Place} Opening what starts a run; the same again joins it */

/**
 * @typedef {object} Ask what a connection is opened with
 * @property {string} run
 * @property {string | null} after the cursor to go on from; null: from the beginning
 * @property {Opening | null} opening what starts the run if it does not exist yet; null: only join
 */

/**
 * @typedef {object} Ending why a connection is over, told once
 * @property {"cut" | "over" | "gone" | "refused"} kind
 *   `cut`: nothing is decided, come back. `over`: the cursor was the terminal frame. `gone`: no such run.
 *   `refused`: the server said no, and why.
 * @property {number} [status] HTTP status of a refusal
 * @property {string} [code]
 * @property {string} [message] the server's own sentence
 * @property {number | null} [retry_ms] when the server asks to come back
 * @property {number} [limit] what may be had, where that was too little: a number, or bytes
 */

/**
 * @typedef {object} Sink what a connection tells
 * @property {() => void} heard any byte at all came
 * @property {(received: Received) => void} received a frame came
 * @property {(ms: number) => void} pace the server asks for this pause before coming back
 * @property {(ending: Ending) => void} ended once, and never after `close`
 */

/** @typedef {{close: () => void}} Connection */

/**
 * The one contract of both transports: follow the run until it ends, is cut, or is closed.
 * @typedef {(ask: Ask, sink: Sink) => Connection} Transport
 */

/**
 * @typedef {object} Clock time and chance, so that tests own both
 * @property {() => number} now milliseconds
 * @property {(run: () => void, ms: number) => number} after start a timer
 * @property {(timer: number) => void} cancel
 * @property {() => number} random 0 to 1
 */

export {};
