/** Every word of the page that a person reads, in Spanish. */

/** @type {import("./en.js").Words} */
export const es = {
  name: "Freshet",
  troubles: {
    upstream_unreachable: {
      title: "No se puede acceder al servicio del modelo.",
      advice: "Suele ser pasajero. Inténtelo de nuevo en un momento.",
    },
    upstream_tls: {
      title: "El servicio del modelo no pudo demostrar quién es.",
      advice: "Se rechazó su certificado. Quien administra este servidor debe revisarlo.",
    },
    upstream_timeout: {
      title: "El modelo no empezó a responder a tiempo.",
      advice: "Inténtelo de nuevo, o pregunte algo más corto.",
    },
    upstream_auth: {
      title: "El servicio del modelo rechazó la clave de este servidor.",
      advice: "Quien administra este servidor debe poner una válida.",
    },
    upstream_bad_request: {
      title: "El servicio del modelo no aceptó la petición.",
      advice: "Empiece un chat nuevo si este se ha hecho largo, o pregunte de otra manera.",
    },
    upstream_rate_limited: {
      title: "El servicio del modelo recibe más peticiones de las que acepta.",
      advice: "Espere un poco y vuelva a intentarlo.",
    },
    upstream_quota: {
      title: "El saldo en el servicio del modelo se ha agotado.",
      advice: "Quien administra este servidor debe recargarlo.",
    },
    upstream_overloaded: {
      title: "El servicio del modelo está saturado.",
      advice: "Inténtelo de nuevo en un momento.",
    },
    upstream_stalled: {
      title: "El modelo se quedó callado en mitad de la respuesta.",
      advice: "Inténtelo de nuevo para obtener una completa.",
    },
    upstream_protocol: {
      title: "El servicio del modelo envió algo que no se puede leer.",
      advice: "Inténtelo de nuevo. Si ocurre siempre, avise a quien administra este servidor.",
    },
    upstream_redirect: {
      title: "El servicio del modelo quiso desviar la petición, y no se siguió.",
      advice: "Quien administra este servidor debe comprobar la dirección.",
    },
    interrupted: {
      title: "La respuesta se cortó por el camino.",
      advice: "Inténtelo de nuevo para obtener una completa.",
    },
    budget_exceeded: {
      title: "Se ha alcanzado el límite de gasto.",
      advice: "Inténtelo más tarde, o pregunte a quien administra este servidor.",
    },
    internal: {
      title: "Algo salió mal en este servidor.",
      advice: "Inténtelo de nuevo. Si ocurre siempre, avise a quien lo administra.",
    },
    gone: {
      title: "El servidor ya no tiene esta respuesta.",
      advice: "Inténtelo de nuevo para obtener otra.",
    },
    refused: {
      title: "El servidor no aceptó la pregunta.",
      advice: "Inténtelo de nuevo, o pregunte de otra manera.",
    },
  },
  endings: {
    length: "La respuesta alcanzó la longitud máxima. Pida que continúe.",
    content_filter: "El filtro del modelo puso fin a esta respuesta. Pregunte de otra manera.",
    tool_calls: "El modelo pidió una herramienta, y aquí no hay ninguna.",
    stopped: "Detenida.",
    orphan: "Detenida, porque nadie leía.",
    budget: "Detenida en el límite de gasto.",
    empty: "El modelo dio una respuesta vacía. Inténtelo de nuevo, o pregunte de otra manera.",
  },
  notices: {
    queued: "Esperando un sitio libre",
    not_saved: "Esta respuesta aún no está guardada.",
    new_version: "Hay una versión más nueva.",
  },

  newChat: "Chat nuevo",
  signOut: "Cerrar sesión",
  model: "Modelo",
  settings: "Ajustes",
  system: "Instrucciones",
  systemHint: "Qué debe saber el modelo de usted y cómo debe responder",
  temperature: "Temperatura",
  longest: "Respuesta más larga, en tokens",
  ownChoice: "la de siempre",
  cancel: "Cancelar",
  save: "Guardar",

  speech: "Lector de pantalla",
  speechModes: {
    sentences: "Lee las respuestas a medida que llegan",
    status: "Solo avisa cuando están completas",
    off: "No dice nada",
  },

  shortcuts: "Atajos de teclado",
  singleKeys: "Usar teclas sueltas",
  singleKeysHint: "Funcionan siempre que no esté escribiendo.",
  deeds: {
    list: "Mostrar esta lista",
    stop: "Detener la respuesta",
    write: "Escribir un mensaje",
    fold: "Mostrar u ocultar las conversaciones",
    copy: "Copiar la última respuesta",
    before: "Mensaje anterior",
    after: "Mensaje siguiente",
    line: "Nueva línea",
  },
  keyNames: { ctrl: "Ctrl", shift: "Mayús", enter: "Intro", escape: "Esc" },

  composer: "Mensaje",
  placeholder: "Pregunte lo que quiera",
  send: "Enviar",
  stop: "Detener",
  queued: "Se enviará cuando la respuesta esté completa",
  editQueued: "Editar el mensaje en espera",
  dropQueued: "Retirar el mensaje en espera",

  conversations: "Conversaciones",
  searchList: "Buscar conversaciones",
  earlier: "Antes",
  noneYet: "Lo que pregunte aparecerá aquí.",
  noneFound: "No se encontró nada.",
  listAway: "La lista no se puede cargar ahora.",
  running: "Se está escribiendo una respuesta",

  more: (title) => `Más sobre «${title}»`,
  rename: "Cambiar el nombre",
  title: "Título",
  asMarkdown: "Guardar como Markdown",
  asJson: "Guardar como JSON",
  remove: "Eliminar",
  removed: (title) => `Eliminada: «${title}»`,
  reload: "Recargar",
  undo: "Deshacer",
  close: "Cerrar",
  notDone: "No ha funcionado. Inténtelo de nuevo.",

  share: "Compartir",
  shareTitle: "Compartir esta conversación",
  link: "Enlace compartido",
  makeLink: "Crear un enlace",
  stopSharing: "Dejar de compartir",
  shareNow: "Quien tenga el enlace puede leer esta conversación tal como está ahora, con sus imágenes. Lo que pregunte después y las otras versiones siguen siendo solo suyos.",
  shareSince: (date) => `Compartida desde el ${date}: quien tenga el enlace puede leer la conversación tal como estaba entonces, con sus imágenes. Lo posterior y las otras versiones siguen siendo solo suyos.`,
  shareLost: (date) => `Compartida desde el ${date}. El enlace sigue funcionando, pero no se puede volver a mostrar aquí. Uno nuevo lo anula.`,
  unshared: "El enlace ya no muestra nada.",

  edit: "Editar la pregunta",
  askInstead: "Preguntar esto en su lugar",
  regenerate: "Responder de nuevo",
  goOn: "Continuar",
  copyMarkdown: "Copiar como Markdown",
  earlierVersion: "Versión anterior",
  laterVersion: "Versión siguiente",
  questionVersions: "Versiones de la pregunta",
  answerVersions: "Versiones de la respuesta",

  missing: {
    title: "Esta conversación no está aquí.",
    advice: "Quizá se eliminó o es de otra persona. Pregunte abajo para empezar una nueva.",
  },
  away: {
    title: "Esta conversación no se puede cargar ahora.",
    advice: "El servidor no responde. Inténtelo de nuevo en un momento.",
  },

  log: "Conversación",
  question: "Su pregunta",
  answer: "Respuesta",
  toBottom: "Ir al texto más reciente",
  thinking: "Razonamiento",
  thoughtFor: (duration) => `Pensó durante ${duration}`,
  retry: "Intentar de nuevo",
  retryIn: (seconds) => `En ${seconds} s el servicio quizá vuelva a estar listo.`,
  partial: "Lo que llegó hasta entonces se conserva.",

  emptyTitle: "¿Qué le gustaría saber?",
  emptyModel: (model) => `Las respuestas vienen de ${model}.`,
  suggestions: [
    "Explica las mareas a un niño de diez años",
    "Planea un fin de semana tranquilo junto al mar",
    "Escribe una breve nota de agradecimiento a un colega",
  ],

  lost: "Conexión perdida. La respuesta seguirá por sí sola.",
  offline: "Está sin conexión. La respuesta seguirá cuando vuelva la red.",
  busy: "El servidor está ocupado. Se intentará de nuevo automáticamente.",
  demo: (settings) => `Respuestas de muestra. Para obtener reales, configure ${settings}.`,
  or: "o",

  tokensIn: (count) => `${count} leídos`,
  tokensOut: (count) => `${count} escritos`,
  perSecond: (rate) => `${rate} tokens/s`,
  about: (text) => `≈ ${text}`,
  estimated: "estimado",

  code: "Código",
  copy: "Copiar",
  copied: "Copiado",
  notCopied: "Selecciónelo y cópielo",
  table: "Tabla",
  task: "Tarea",
  picture: (count) => `Imagen ${count}`,
  footnote: (number) => `Nota ${number}: volver al texto`,

  said: {
    asked: "La pregunta se ha enviado.",
    stopped: "La respuesta está detenida.",
    failed: "La respuesta ha fallado.",
    copied: "Respuesta copiada.",
    complete: (count) => `Respuesta completa, ${count}.`,
    code: (language, lines) => `Código, ${language}, ${lines}.`,
    plainCode: (lines) => `Código, ${lines}.`,
    table: (rows, columns) => `Tabla, ${rows}, ${columns}.`,
    formula: "fórmula",
  },

  counts: {
    words: (n, form) => (form === "one" ? `${n} palabra` : `${n} palabras`),
    lines: (n, form) => (form === "one" ? `${n} línea` : `${n} líneas`),
    rows: (n, form) => (form === "one" ? `${n} fila` : `${n} filas`),
    columns: (n, form) => (form === "one" ? `${n} columna` : `${n} columnas`),
  },
};
