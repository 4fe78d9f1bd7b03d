/** Every word of the page that a person reads, in French. */

/** @type {import("./en.js").Words} */
export const fr = {
  name: "Freshet",
  troubles: {
    upstream_unreachable: {
      title: "Le service du modèle est injoignable.",
      advice: "C’est souvent passager. Réessayez dans un instant.",
    },
    upstream_tls: {
      title: "Le service du modèle n’a pas pu prouver son identité.",
      advice: "Son certificat a été refusé. La personne qui gère ce serveur doit s’en occuper.",
    },
    upstream_timeout: {
      title: "Le modèle n’a pas commencé à répondre à temps.",
      advice: "Réessayez, ou posez une question plus courte.",
    },
    upstream_auth: {
      title: "Le service du modèle a refusé la clé de ce serveur.",
      advice: "La personne qui gère ce serveur doit en fournir une valable.",
    },
    upstream_bad_request: {
      title: "Le service du modèle n’a pas accepté la demande.",
      advice: "Commencez une nouvelle discussion si celle-ci est devenue longue, ou demandez autrement.",
    },
    upstream_rate_limited: {
      title: "Le service du modèle reçoit plus de demandes qu’il n’en accepte.",
      advice: "Attendez un peu, puis réessayez.",
    },
    upstream_quota: {
      title: "Le crédit auprès du service du modèle est épuisé.",
      advice: "La personne qui gère ce serveur doit le recharger.",
    },
    upstream_overloaded: {
      title: "Le service du modèle est surchargé.",
      advice: "Réessayez dans un instant.",
    },
    upstream_stalled: {
      title: "Le modèle s’est tu au milieu de sa réponse.",
      advice: "Réessayez pour en obtenir une entière.",
    },
    upstream_protocol: {
      title: "Le service du modèle a envoyé quelque chose d’illisible.",
      advice: "Réessayez. Si cela se répète, prévenez la personne qui gère ce serveur.",
    },
    upstream_redirect: {
      title: "Le service du modèle a voulu rediriger la demande ; elle n’a pas été suivie.",
      advice: "La personne qui gère ce serveur doit vérifier son adresse.",
    },
    interrupted: {
      title: "La réponse a été coupée en chemin.",
      advice: "Réessayez pour en obtenir une entière.",
    },
    budget_exceeded: {
      title: "La limite de dépenses est atteinte.",
      advice: "Réessayez plus tard, ou demandez à la personne qui gère ce serveur.",
    },
    internal: {
      title: "Quelque chose s’est mal passé sur ce serveur.",
      advice: "Réessayez. Si cela se répète, prévenez la personne qui le gère.",
    },
    gone: {
      title: "Le serveur n’a plus cette réponse.",
      advice: "Réessayez pour en obtenir une nouvelle.",
    },
    refused: {
      title: "Le serveur n’a pas accepté la question.",
      advice: "Réessayez, ou demandez autrement.",
    },
  },
  endings: {
    length: "La réponse a atteint la longueur maximale. Demandez-lui de continuer.",
    content_filter: "Le filtre du modèle a mis fin à cette réponse. Demandez autrement.",
    tool_calls: "Le modèle a demandé un outil, et il n’y en a pas ici.",
    stopped: "Arrêtée.",
    orphan: "Arrêtée, car personne ne lisait.",
    budget: "Arrêtée à la limite de dépenses.",
    empty: "Le modèle a donné une réponse vide. Réessayez, ou demandez autrement.",
  },
  notices: {
    queued: "En attente d’une place libre",
    not_saved: "Cette réponse n’est pas encore enregistrée.",
    new_version: "Une version plus récente est prête.",
  },

  newChat: "Nouvelle discussion",
  signOut: "Se déconnecter",
  model: "Modèle",
  settings: "Réglages",
  system: "Consignes",
  systemHint: "Ce que le modèle doit savoir de vous, et comment il doit répondre",
  temperature: "Température",
  longest: "Réponse la plus longue, en jetons",
  ownChoice: "par défaut",
  cancel: "Annuler",
  save: "Enregistrer",

  speech: "Lecteur d’écran",
  speechModes: {
    sentences: "Lit les réponses à mesure qu’elles arrivent",
    status: "Annonce seulement qu’elles sont complètes",
    off: "Ne dit rien",
  },

  shortcuts: "Raccourcis clavier",
  singleKeys: "Utiliser des touches seules",
  singleKeysHint: "Elles agissent partout où vous n’écrivez pas.",
  deeds: {
    list: "Afficher cette liste",
    stop: "Arrêter la réponse",
    write: "Écrire un message",
    fold: "Afficher ou masquer les conversations",
    copy: "Copier la dernière réponse",
    before: "Message précédent",
    after: "Message suivant",
    line: "Nouvelle ligne",
  },
  keyNames: { ctrl: "Ctrl", shift: "Maj", enter: "Entrée", escape: "Échap" },

  composer: "Message",
  placeholder: "Demandez ce que vous voulez",
  send: "Envoyer",
  stop: "Arrêter",
  queued: "Envoyé quand la réponse sera complète",
  editQueued: "Modifier le message en attente",
  dropQueued: "Retirer le message en attente",

  conversations: "Discussions",
  searchList: "Chercher dans les discussions",
  earlier: "Plus tôt",
  noneYet: "Vos questions seront listées ici.",
  noneFound: "Rien trouvé.",
  listAway: "La liste ne peut pas être chargée pour le moment.",
  running: "Une réponse est en cours",

  more: (title) => `Plus sur « ${title} »`,
  rename: "Renommer",
  title: "Titre",
  asMarkdown: "Enregistrer en Markdown",
  asJson: "Enregistrer en JSON",
  remove: "Supprimer",
  removed: (title) => `Supprimée : « ${title} »`,
  reload: "Recharger",
  undo: "Rétablir",
  close: "Fermer",
  notDone: "Cela n’a pas marché. Réessayez.",

  share: "Partager",
  shareTitle: "Partager cette conversation",
  link: "Lien partagé",
  makeLink: "Créer un lien",
  stopSharing: "Ne plus partager",
  shareNow: "Toute personne qui a le lien peut lire cette conversation telle qu’elle est maintenant, images comprises. Vos questions suivantes et les autres versions restent à vous.",
  shareSince: (date) => `Partagée depuis le ${date} : toute personne qui a le lien peut lire la conversation telle qu’elle était alors, images comprises. La suite et les autres versions restent à vous.`,
  shareLost: (date) => `Partagée depuis le ${date}. Le lien fonctionne toujours, mais il ne peut plus être affiché ici. Un nouveau lien y mettra fin.`,
  unshared: "Le lien ne montre plus rien.",

  edit: "Modifier la question",
  askInstead: "Demander ceci à la place",
  regenerate: "Répondre de nouveau",
  goOn: "Continuer",
  copyMarkdown: "Copier en Markdown",
  earlierVersion: "Version précédente",
  laterVersion: "Version suivante",
  questionVersions: "Versions de la question",
  answerVersions: "Versions de la réponse",

  missing: {
    title: "Cette discussion n’est pas ici.",
    advice: "Elle a peut-être été supprimée, ou elle appartient à quelqu’un d’autre. Écrivez ci-dessous pour en commencer une nouvelle.",
  },
  away: {
    title: "Cette discussion ne peut pas être chargée pour le moment.",
    advice: "Le serveur ne répond pas. Réessayez dans un instant.",
  },

  log: "Conversation",
  question: "Votre question",
  answer: "Réponse",
  toBottom: "Aller au texte le plus récent",
  thinking: "Réflexion",
  thoughtFor: (duration) => `A réfléchi pendant ${duration}`,
  retry: "Réessayer",
  retryIn: (seconds) => `Dans ${seconds} s, le service sera peut-être de nouveau prêt.`,
  partial: "Ce qui est arrivé jusque-là est conservé.",

  emptyTitle: "Que voulez-vous savoir ?",
  emptyModel: (model) => `Les réponses viennent de ${model}.`,
  suggestions: [
    "Explique les marées à un enfant de dix ans",
    "Prépare un week-end tranquille au bord de la mer",
    "Écris un petit mot de remerciement à un collègue",
  ],

  lost: "Connexion perdue. La réponse reprendra d’elle-même.",
  offline: "Vous êtes hors ligne. La réponse reprendra au retour du réseau.",
  busy: "Le serveur est occupé. Nouvel essai automatique.",
  demo: (settings) => `Réponses de démonstration. Pour de vraies, définissez ${settings}.`,
  or: "ou",

  tokensIn: (count) => `${count} lus`,
  tokensOut: (count) => `${count} écrits`,
  perSecond: (rate) => `${rate} jetons/s`,
  about: (text) => `≈ ${text}`,
  estimated: "estimé",

  code: "Code",
  copy: "Copier",
  copied: "Copié",
  notCopied: "Sélectionnez et copiez",
  table: "Tableau",
  task: "Tâche",
  picture: (count) => `Image ${count}`,
  footnote: (number) => `Note ${number} : retour au texte`,

  said: {
    asked: "La question est envoyée.",
    stopped: "La réponse est arrêtée.",
    failed: "La réponse a échoué.",
    copied: "Réponse copiée.",
    complete: (count) => `Réponse complète, ${count}.`,
    code: (language, lines) => `Code, ${language}, ${lines}.`,
    plainCode: (lines) => `Code, ${lines}.`,
    table: (rows, columns) => `Tableau, ${rows}, ${columns}.`,
    formula: "formule",
  },

  counts: {
    words: (n, form) => (form === "one" ? `${n} mot` : `${n} mots`),
    lines: (n, form) => (form === "one" ? `${n} ligne` : `${n} lignes`),
    rows: (n, form) => (form === "one" ? `${n} ligne` : `${n} lignes`),
    columns: (n, form) => (form === "one" ? `${n} colonne` : `${n} colonnes`),
  },
};
