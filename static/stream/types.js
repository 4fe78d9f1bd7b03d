/**
 * The types that the layers of the page share: what a client sends, the contract of a transport, and a clock. No code;
 * modules that must not import each other import these.
 */

/** @typedef {import("./frames.js").Received} Received */

/** @typedef {"none" | "low" | "medium" | "high" | "xhigh" | "max"} Effort */

/**
 * @typedef {object} RunOptions the options of a run that a user can set; the server has a default for each
 * @property {string} [model] as `provider/model`
 * @property {string} [system] the system prompt
 * @property {number} [temperature] 0 to 2
 * @property {number} [max_tokens] the longest answer
 * @property {Effort} [effort] how much the model reasons
 * @property {readonly string[]} [collection] names of the collections of documents that answers are based on
 */

/**
 * @typedef {object} Picture an image of a question
 * @property {string} id its id in the conversation; empty until the server has named it
 * @property {number} width in pixels; 0 when unknown
 * @property {number} height in pixels; 0 when unknown
 * @property {string} [data] a data URL; missing when only the server has the bytes
 */

/**
 * @typedef {object} TurnBody the question of a run, and its place in the conversation
 * @property {string} conversation the conversation's id
 * @property {string} [query] the new question; without `query` and `images`, the question `parent` is answered again
 * @property {string[]} [images] of the question: data URLs, or ids of images that the conversation has
 * @property {string | null} [parent] id of the message before it; null: it is the first
 * @property {boolean} [at_leaf] ask below the newest message under `parent`, which this page may not have
 * @property {string} [continue] id of the answer to continue, instead of `query` and `parent`
 */

/** @typedef {RunOptions & TurnBody} StartBody the body that starts a run; sent again with the same run, it joins it */

/**
 * @typedef {object} RunRequest what to read, from where
 * @property {string} run the run's id
 * @property {string | null} after resume after this cursor; null: read from the beginning
 * @property {StartBody | null} opening starts the run if the server does not have it; null: only join it
 */

/**
 * @typedef {object} Disconnect why a connection ended
 * @property {"cut" | "over" | "gone" | "refused"} kind
 *   `cut`: the connection was lost; retry. `over`: `after` was the cursor of the terminal frame (204).
 *   `gone`: the server has no such run (404). `refused`: the server refused the request; the fields below say why.
 * @property {number} [status] HTTP status of a refusal
 * @property {string} [code] the error's code
 * @property {string} [message] the server's sentence
 * @property {number | null} [retry_ms] retry after this long, as the server asks
 * @property {number} [limit] the limit that was exceeded: a number, or bytes
 */

/**
 * @typedef {object} Receiver the callbacks of a connection; none is called after `close`
 * @property {() => void} active bytes came, whatever they are
 * @property {(received: Received) => void} received a frame came
 * @property {(ms: number) => void} retry the server set the pause before a reconnect (SSE `retry:`)
 * @property {(ms: number) => void} [heartbeat] the server named its longest silence, which may have changed since the page was loaded
 * @property {(disconnect: Disconnect) => void} ended the connection ended; called at most once
 */

/** @typedef {{close: () => void}} Connection */

/**
 * The contract of both transports: connect and read the run until it ends, the connection is lost, or `close` is called.
 * @typedef {(request: RunRequest, receiver: Receiver) => Connection} Transport
 */

/**
 * The state of a session's connection. `fine`: bytes come. `lost`: it was cut and is retried. `busy`: the server refused
 * for now and is asked again.
 * @typedef {"fine" | "lost" | "busy"} ConnectionState
 */

/**
 * @typedef {object} Clock time and randomness, so that tests can control both
 * @property {() => number} now milliseconds since 1970
 * @property {(run: () => void, ms: number) => number} after starts a timer; returns its id
 * @property {(timer: number) => void} cancel stops a timer
 * @property {() => number} random 0 to 1
 */

/**
 * @typedef {object} Access how requests show who is asking
 * @property {RequestCredentials} credentials whether cookies are sent
 * @property {() => Promise<string | null>} token the bearer token to send now; null: none
 */

export {};
