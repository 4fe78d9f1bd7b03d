/** Every word of the page that a person reads, in German. */

/** @type {import("./en.js").Words} */
export const de = {
  name: "Freshet",
  troubles: {
    upstream_unreachable: {
      title: "Der Dienst des Modells ist nicht erreichbar.",
      advice: "Das geht oft vorüber. Versuchen Sie es gleich noch einmal.",
    },
    upstream_tls: {
      title: "Der Dienst des Modells konnte sich nicht ausweisen.",
      advice: "Sein Zertifikat wurde abgelehnt. Wer diesen Server betreibt, muss es sich ansehen.",
    },
    upstream_timeout: {
      title: "Das Modell hat nicht rechtzeitig zu antworten begonnen.",
      advice: "Versuchen Sie es noch einmal, oder fragen Sie etwas Kürzeres.",
    },
    upstream_auth: {
      title: "Der Dienst des Modells hat den Schlüssel dieses Servers abgelehnt.",
      advice: "Wer diesen Server betreibt, muss einen gültigen setzen.",
    },
    upstream_bad_request: {
      title: "Der Dienst des Modells hat die Anfrage nicht angenommen.",
      advice: "Beginnen Sie einen neuen Chat, wenn dieser lang geworden ist, oder fragen Sie anders.",
    },
    upstream_rate_limited: {
      title: "Der Dienst des Modells bekommt mehr Anfragen, als er annimmt.",
      advice: "Warten Sie ein wenig und versuchen Sie es dann noch einmal.",
    },
    upstream_quota: {
      title: "Das Guthaben beim Dienst des Modells ist aufgebraucht.",
      advice: "Wer diesen Server betreibt, muss es aufladen.",
    },
    upstream_overloaded: {
      title: "Der Dienst des Modells ist überlastet.",
      advice: "Versuchen Sie es gleich noch einmal.",
    },
    upstream_stalled: {
      title: "Das Modell ist mitten in der Antwort verstummt.",
      advice: "Versuchen Sie es noch einmal, um eine ganze zu bekommen.",
    },
    upstream_protocol: {
      title: "Der Dienst des Modells hat etwas Unlesbares geschickt.",
      advice: "Versuchen Sie es noch einmal. Geschieht es jedes Mal, sagen Sie es dem Betreiber dieses Servers.",
    },
    upstream_redirect: {
      title: "Der Dienst des Modells wollte die Anfrage umleiten; ihm wurde nicht gefolgt.",
      advice: "Wer diesen Server betreibt, muss die Adresse prüfen.",
    },
    interrupted: {
      title: "Die Antwort wurde unterwegs abgeschnitten.",
      advice: "Versuchen Sie es noch einmal, um eine ganze zu bekommen.",
    },
    budget_exceeded: {
      title: "Die Ausgabengrenze ist erreicht.",
      advice: "Versuchen Sie es später noch einmal, oder fragen Sie den Betreiber dieses Servers.",
    },
    internal: {
      title: "Auf diesem Server ist etwas schiefgegangen.",
      advice: "Versuchen Sie es noch einmal. Geschieht es jedes Mal, sagen Sie es seinem Betreiber.",
    },
    gone: {
      title: "Der Server hat diese Antwort nicht mehr.",
      advice: "Versuchen Sie es noch einmal, um eine neue zu bekommen.",
    },
    refused: {
      title: "Der Server hat die Frage nicht angenommen.",
      advice: "Versuchen Sie es noch einmal, oder fragen Sie anders.",
    },
  },
  endings: {
    length: "Die Antwort hat die größte erlaubte Länge erreicht. Bitten Sie darum, dass sie weitergeht.",
    content_filter: "Der Inhaltsfilter des Modells hat diese Antwort beendet. Fragen Sie anders.",
    tool_calls: "Das Modell wollte ein Werkzeug benutzen, und hier gibt es keines.",
    stopped: "Angehalten.",
    orphan: "Angehalten, weil niemand mitlas.",
    budget: "An der Ausgabengrenze angehalten.",
    empty: "Das Modell hat eine leere Antwort gegeben. Versuchen Sie es noch einmal, oder fragen Sie anders.",
  },
  notices: {
    queued: "Wartet auf einen freien Platz",
    not_saved: "Diese Antwort ist noch nicht gespeichert.",
    new_version: "Eine neuere Fassung ist bereit.",
  },

  newChat: "Neuer Chat",
  signOut: "Abmelden",
  model: "Modell",
  settings: "Einstellungen",
  system: "Anweisungen",
  systemHint: "Was das Modell über Sie wissen und wie es antworten soll",
  temperature: "Temperatur",
  longest: "Längste Antwort, in Tokens",
  ownChoice: "wie es kommt",
  cancel: "Abbrechen",
  save: "Speichern",

  speech: "Bildschirmleser",
  speechModes: {
    sentences: "Liest Antworten vor, während sie entstehen",
    status: "Sagt nur, wenn sie vollständig sind",
    off: "Sagt nichts",
  },

  shortcuts: "Tastenkürzel",
  singleKeys: "Einzelne Tasten verwenden",
  singleKeysHint: "Sie wirken überall, wo Sie gerade nicht schreiben.",
  deeds: {
    list: "Diese Liste zeigen",
    stop: "Die Antwort anhalten",
    write: "Eine Nachricht schreiben",
    fold: "Die Unterhaltungen zeigen oder ausblenden",
    copy: "Die letzte Antwort kopieren",
    before: "Vorige Nachricht",
    after: "Nächste Nachricht",
    line: "Neue Zeile",
  },
  keyNames: { ctrl: "Strg", shift: "Umschalt", enter: "Eingabe", escape: "Esc" },

  composer: "Nachricht",
  placeholder: "Fragen Sie, was Sie möchten",
  send: "Senden",
  stop: "Anhalten",
  queued: "Wird gesendet, wenn die Antwort fertig ist",
  editQueued: "Die wartende Nachricht bearbeiten",
  dropQueued: "Die wartende Nachricht zurücknehmen",

  conversations: "Unterhaltungen",
  searchList: "Unterhaltungen durchsuchen",
  earlier: "Früher",
  noneYet: "Was Sie fragen, steht dann hier.",
  noneFound: "Nichts gefunden.",
  listAway: "Die Liste lässt sich gerade nicht laden.",
  running: "Eine Antwort entsteht",

  more: (title) => `Mehr zu „${title}“`,
  rename: "Umbenennen",
  title: "Titel",
  asMarkdown: "Als Markdown sichern",
  asJson: "Als JSON sichern",
  remove: "Löschen",
  removed: (title) => `Gelöscht: „${title}“`,
  reload: "Neu laden",
  undo: "Rückgängig",
  close: "Schließen",
  notDone: "Das hat nicht geklappt. Versuchen Sie es noch einmal.",

  share: "Teilen",
  shareTitle: "Diese Unterhaltung teilen",
  link: "Geteilter Link",
  makeLink: "Link erstellen",
  stopSharing: "Nicht mehr teilen",
  shareNow: "Wer den Link hat, kann diese Unterhaltung samt Bildern so lesen, wie sie jetzt ist. Spätere Fragen und andere Fassungen bleiben bei Ihnen.",
  shareSince: (date) => `Geteilt seit ${date}: Wer den Link hat, kann die Unterhaltung samt Bildern so lesen, wie sie damals war. Alles Spätere und andere Fassungen bleiben bei Ihnen.`,
  shareLost: (date) => `Geteilt seit ${date}. Der Link gilt weiter, kann hier aber nicht noch einmal gezeigt werden. Ein neuer beendet ihn.`,
  unshared: "Der Link zeigt nichts mehr.",

  edit: "Die Frage ändern",
  askInstead: "Stattdessen dies fragen",
  regenerate: "Neu antworten lassen",
  goOn: "Fortsetzen",
  copyMarkdown: "Als Markdown kopieren",
  earlierVersion: "Vorige Fassung",
  laterVersion: "Nächste Fassung",
  questionVersions: "Fassungen der Frage",
  answerVersions: "Fassungen der Antwort",

  missing: {
    title: "Diese Unterhaltung ist nicht hier.",
    advice: "Vielleicht wurde sie gelöscht, oder sie gehört jemand anderem. Fragen Sie unten, um eine neue zu beginnen.",
  },
  away: {
    title: "Diese Unterhaltung lässt sich gerade nicht laden.",
    advice: "Der Server antwortet nicht. Versuchen Sie es gleich noch einmal.",
  },

  log: "Unterhaltung",
  question: "Ihre Frage",
  answer: "Antwort",
  toBottom: "Zum neuesten Text",
  thinking: "Gedankengang",
  thoughtFor: (duration) => `${duration} nachgedacht`,
  retry: "Noch einmal versuchen",
  retryIn: (seconds) => `In ${seconds} s ist der Dienst vielleicht wieder bereit.`,
  partial: "Was bis dahin kam, bleibt erhalten.",

  emptyTitle: "Was möchten Sie wissen?",
  emptyModel: (model) => `Die Antworten kommen von ${model}.`,
  suggestions: [
    "Erkläre einem zehnjährigen Kind Ebbe und Flut",
    "Plane ein ruhiges Wochenende am Meer",
    "Schreibe einem Kollegen ein kurzes Dankeschön",
  ],

  lost: "Die Verbindung ist weg. Die Antwort geht von selbst weiter.",
  offline: "Sie sind offline. Die Antwort geht weiter, sobald das Netz wieder da ist.",
  busy: "Der Server ist beschäftigt. Es wird von selbst noch einmal versucht.",
  demo: (settings) => `Vorführantworten. Für echte setzen Sie ${settings}.`,
  or: "oder",

  tokensIn: (count) => `${count} gelesen`,
  tokensOut: (count) => `${count} geschrieben`,
  perSecond: (rate) => `${rate} Tokens/s`,
  about: (text) => `≈ ${text}`,
  estimated: "geschätzt",

  code: "Code",
  copy: "Kopieren",
  copied: "Kopiert",
  notCopied: "Bitte markieren und kopieren",
  table: "Tabelle",
  task: "Aufgabe",
  picture: (count) => `Bild ${count}`,
  footnote: (number) => `Anmerkung ${number}: zurück zum Text`,

  said: {
    asked: "Die Frage ist gesendet.",
    stopped: "Die Antwort ist angehalten.",
    failed: "Die Antwort ist fehlgeschlagen.",
    copied: "Antwort kopiert.",
    complete: (count) => `Antwort vollständig, ${count}.`,
    code: (language, lines) => `Code, ${language}, ${lines}.`,
    plainCode: (lines) => `Code, ${lines}.`,
    table: (rows, columns) => `Tabelle, ${rows}, ${columns}.`,
    formula: "Formel",
  },

  counts: {
    words: (n, form) => (form === "one" ? `${n} Wort` : `${n} Wörter`),
    lines: (n, form) => (form === "one" ? `${n} Zeile` : `${n} Zeilen`),
    rows: (n, form) => (form === "one" ? `${n} Zeile` : `${n} Zeilen`),
    columns: (n, form) => (form === "one" ? `${n} Spalte` : `${n} Spalten`),
  },
};
