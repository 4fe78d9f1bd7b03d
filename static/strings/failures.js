/**
 * What is said where the server does not begin an answer, and how long to wait, in every language: loaded when that
 * happens.
 */
import { language } from "./words.js";

/** @typedef {import("./en.js").Trouble} Trouble */

/** By code. @type {Record<string, Trouble>} */
const troubles = {
  no_owner: { title: "This chat needs cookies.", advice: "Allow cookies for this site, then reload the page." },
  signed_out: { title: "You’re signed out.", advice: "Reload the page to sign in again." },
  too_many_answers: { title: "Too many answers are running at once.", advice: "Wait for one to end, or stop one." },
  too_many_starts: { title: "You’ve asked a lot in the last minute.", advice: "Wait a moment, then try again." },
  too_many_bytes: { title: "Your network has sent as much as it may today.", advice: "Try again tomorrow." },
  too_many_visitors: { title: "Too many new visitors from your network.", advice: "Try again later." },
  question_too_large: { title: "This question is too long.", advice: "Shorten it, or start a new chat: earlier messages count too." },
  model_not_allowed: { title: "This model isn’t available to visitors.", advice: "Choose another model, then try again." },
  image_url_not_allowed: { title: "Images can’t be sent as links.", advice: "Add the image itself instead." },
  store_away: { title: "The server’s database can’t be reached.", advice: "Your chats are safe. Try again in a moment." },
};

/** Why an answer has not begun, where it will by itself; `wait` is the time until then. @type {Record<string, (wait: string) => string>} */
const held = {
  too_many_answers: () => "Too many answers at once. This one starts when another is done.",
  too_many_starts: (wait) => `You’ve asked a lot in the last minute. This answer starts in ${wait}.`,
  store_away: () => "The server’s database can’t be reached. This answer starts when it is back.",
};

const en = {
  troubles,
  held,
  retryIn: (/** @type {string} */ wait) => `Try again in ${wait}.`,
  retryNow: "You can try again now.",
  limitIs: (/** @type {string} */ size) => `The limit is ${size}.`,
  seconds: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} second` : `${n} seconds`),
  minutes: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} minute` : `${n} minutes`),
  hours: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} hour` : `${n} hours`),
};

/** @typedef {typeof en} RefusalWords */

/** @type {Record<string, RefusalWords>} */
export const refusalWords = {
  en,
  de: {
    troubles: {
      no_owner: { title: "Dieser Chat braucht Cookies.", advice: "Erlauben Sie Cookies für diese Website und laden Sie die Seite neu." },
      signed_out: { title: "Sie sind abgemeldet.", advice: "Laden Sie die Seite neu, um sich wieder anzumelden." },
      too_many_answers: { title: "Es laufen zu viele Antworten gleichzeitig.", advice: "Warten Sie, bis eine fertig ist, oder halten Sie eine an." },
      too_many_starts: { title: "Sie haben in der letzten Minute viel gefragt.", advice: "Warten Sie kurz und versuchen Sie es dann noch einmal." },
      too_many_bytes: { title: "Aus Ihrem Netz wurde heute schon so viel gesendet wie erlaubt.", advice: "Versuchen Sie es morgen wieder." },
      too_many_visitors: { title: "Zu viele neue Besucher aus Ihrem Netz.", advice: "Versuchen Sie es später noch einmal." },
      question_too_large: { title: "Diese Frage ist zu lang.", advice: "Kürzen Sie sie oder beginnen Sie einen neuen Chat: Frühere Nachrichten zählen mit." },
      model_not_allowed: { title: "Dieses Modell steht Besuchern nicht zur Verfügung.", advice: "Wählen Sie ein anderes Modell und versuchen Sie es noch einmal." },
      image_url_not_allowed: { title: "Bilder können nicht als Link gesendet werden.", advice: "Fügen Sie stattdessen das Bild selbst hinzu." },
      store_away: { title: "Die Datenbank des Servers ist nicht erreichbar.", advice: "Ihre Chats sind sicher. Versuchen Sie es gleich noch einmal." },
    },
    held: {
      too_many_answers: () => "Zu viele Antworten auf einmal. Diese beginnt, sobald eine andere fertig ist.",
      too_many_starts: (wait) => `Sie haben in der letzten Minute viel gefragt. Diese Antwort beginnt in ${wait}.`,
      store_away: () => "Die Datenbank des Servers ist nicht erreichbar. Diese Antwort beginnt, sobald sie wieder da ist.",
    },
    retryIn: (wait) => `Versuchen Sie es in ${wait} noch einmal.`,
    retryNow: "Sie können es jetzt noch einmal versuchen.",
    limitIs: (size) => `Die Grenze liegt bei ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} Sekunde` : `${n} Sekunden`),
    minutes: (n, form) => (form === "one" ? `${n} Minute` : `${n} Minuten`),
    hours: (n, form) => (form === "one" ? `${n} Stunde` : `${n} Stunden`),
  },
  fr: {
    troubles: {
      no_owner: { title: "Cette discussion a besoin de cookies.", advice: "Autorisez les cookies pour ce site, puis rechargez la page." },
      signed_out: { title: "Vous êtes déconnecté.", advice: "Rechargez la page pour vous reconnecter." },
      too_many_answers: { title: "Trop de réponses sont en cours.", advice: "Attendez la fin de l’une d’elles, ou arrêtez-en une." },
      too_many_starts: { title: "Vous avez posé beaucoup de questions en une minute.", advice: "Patientez un instant, puis réessayez." },
      too_many_bytes: { title: "Votre réseau a envoyé aujourd’hui autant que permis.", advice: "Réessayez demain." },
      too_many_visitors: { title: "Trop de nouveaux visiteurs depuis votre réseau.", advice: "Réessayez plus tard." },
      question_too_large: { title: "Cette question est trop longue.", advice: "Raccourcissez-la ou commencez une nouvelle discussion : les messages précédents comptent aussi." },
      model_not_allowed: { title: "Ce modèle n’est pas proposé aux visiteurs.", advice: "Choisissez un autre modèle, puis réessayez." },
      image_url_not_allowed: { title: "Une image ne peut pas être envoyée sous forme de lien.", advice: "Ajoutez plutôt l’image elle-même." },
      store_away: { title: "La base de données du serveur est injoignable.", advice: "Vos discussions sont en sécurité. Réessayez dans un instant." },
    },
    held: {
      too_many_answers: () => "Trop de réponses à la fois. Celle-ci commencera dès qu’une autre sera terminée.",
      too_many_starts: (wait) => `Vous avez posé beaucoup de questions en une minute. Cette réponse commencera dans ${wait}.`,
      store_away: () => "La base de données du serveur est injoignable. Cette réponse commencera dès son retour.",
    },
    retryIn: (wait) => `Réessayez dans ${wait}.`,
    retryNow: "Vous pouvez réessayer.",
    limitIs: (size) => `La limite est de ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} seconde` : `${n} secondes`),
    minutes: (n, form) => (form === "one" ? `${n} minute` : `${n} minutes`),
    hours: (n, form) => (form === "one" ? `${n} heure` : `${n} heures`),
  },
  es: {
    troubles: {
      no_owner: { title: "Este chat necesita cookies.", advice: "Permita las cookies de este sitio y vuelva a cargar la página." },
      signed_out: { title: "Se ha cerrado la sesión.", advice: "Vuelva a cargar la página para iniciar sesión de nuevo." },
      too_many_answers: { title: "Hay demasiadas respuestas en curso.", advice: "Espere a que termine una, o detenga alguna." },
      too_many_starts: { title: "Ha preguntado mucho en el último minuto.", advice: "Espere un momento e inténtelo de nuevo." },
      too_many_bytes: { title: "Su red ya ha enviado hoy todo lo permitido.", advice: "Inténtelo mañana." },
      too_many_visitors: { title: "Demasiados visitantes nuevos desde su red.", advice: "Inténtelo más tarde." },
      question_too_large: { title: "Esta pregunta es demasiado larga.", advice: "Acórtela o empiece un chat nuevo: los mensajes anteriores también cuentan." },
      model_not_allowed: { title: "Este modelo no está disponible para visitantes.", advice: "Elija otro modelo e inténtelo de nuevo." },
      image_url_not_allowed: { title: "Las imágenes no se pueden enviar como enlaces.", advice: "Añada la imagen misma." },
      store_away: { title: "La base de datos del servidor no está disponible.", advice: "Sus chats están a salvo. Inténtelo de nuevo en un momento." },
    },
    held: {
      too_many_answers: () => "Demasiadas respuestas a la vez. Esta empezará cuando termine otra.",
      too_many_starts: (wait) => `Ha preguntado mucho en el último minuto. Esta respuesta empezará en ${wait}.`,
      store_away: () => "La base de datos del servidor no está disponible. Esta respuesta empezará cuando vuelva.",
    },
    retryIn: (wait) => `Inténtelo de nuevo en ${wait}.`,
    retryNow: "Ya puede intentarlo de nuevo.",
    limitIs: (size) => `El límite es de ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} segundo` : `${n} segundos`),
    minutes: (n, form) => (form === "one" ? `${n} minuto` : `${n} minutos`),
    hours: (n, form) => (form === "one" ? `${n} hora` : `${n} horas`),
  },
  zh: {
    troubles: {
      no_owner: { title: "此聊天需要 Cookie。", advice: "请允许此网站使用 Cookie，然后重新加载页面。" },
      signed_out: { title: "您已退出登录。", advice: "请重新加载页面并再次登录。" },
      too_many_answers: { title: "同时进行的回答太多。", advice: "请等其中一个完成，或停止一个。" },
      too_many_starts: { title: "您在过去一分钟内提问过多。", advice: "请稍等片刻再试。" },
      too_many_bytes: { title: "您的网络今天发送的内容已达上限。", advice: "请明天再试。" },
      too_many_visitors: { title: "来自您网络的新访客过多。", advice: "请稍后再试。" },
      question_too_large: { title: "这个问题太长。", advice: "请缩短问题，或新建聊天：之前的消息也计算在内。" },
      model_not_allowed: { title: "访客不能使用此模型。", advice: "请换一个模型再试。" },
      image_url_not_allowed: { title: "不能以链接形式发送图片。", advice: "请直接添加图片。" },
      store_away: { title: "暂时无法连接服务器的数据库。", advice: "您的对话是安全的。请稍后再试。" },
    },
    held: {
      too_many_answers: () => "同时进行的回答太多。另一个回答完成后，这个就会开始。",
      too_many_starts: (wait) => `您在过去一分钟内提问过多。这个回答将在 ${wait}后开始。`,
      store_away: () => "暂时无法连接服务器的数据库。恢复后，这个回答就会开始。",
    },
    retryIn: (wait) => `请在 ${wait}后再试。`,
    retryNow: "现在可以再试了。",
    limitIs: (size) => `上限为 ${size}。`,
    seconds: (n) => `${n} 秒`,
    minutes: (n) => `${n} 分钟`,
    hours: (n) => `${n} 小时`,
  },
  ar: {
    troubles: {
      no_owner: { title: "تحتاج هذه المحادثة إلى ملفات تعريف الارتباط.", advice: "اسمح بها لهذا الموقع، ثم أعد تحميل الصفحة." },
      signed_out: { title: "تم تسجيل خروجك.", advice: "أعد تحميل الصفحة لتسجيل الدخول من جديد." },
      too_many_answers: { title: "إجابات كثيرة قيد الكتابة معًا.", advice: "انتظر حتى تنتهي إحداها، أو أوقف واحدة." },
      too_many_starts: { title: "طرحت أسئلة كثيرة في الدقيقة الأخيرة.", advice: "انتظر قليلًا، ثم حاول مرة أخرى." },
      too_many_bytes: { title: "أرسلت شبكتك اليوم أقصى ما يُسمح به.", advice: "حاول مرة أخرى غدًا." },
      too_many_visitors: { title: "زوار جدد كثيرون من شبكتك.", advice: "حاول مرة أخرى لاحقًا." },
      question_too_large: { title: "هذا السؤال طويل جدًا.", advice: "اختصره أو ابدأ محادثة جديدة: الرسائل السابقة محسوبة أيضًا." },
      model_not_allowed: { title: "هذا النموذج غير متاح للزوار.", advice: "اختر نموذجًا آخر، ثم حاول مرة أخرى." },
      image_url_not_allowed: { title: "لا يمكن إرسال الصور كروابط.", advice: "أضف الصورة نفسها بدلًا من ذلك." },
      store_away: { title: "تعذّر الوصول إلى قاعدة بيانات الخادم.", advice: "محادثاتك في أمان. حاول مرة أخرى بعد قليل." },
    },
    held: {
      too_many_answers: () => "إجابات كثيرة في وقت واحد. تبدأ هذه حين تنتهي أخرى.",
      too_many_starts: (wait) => `طرحت أسئلة كثيرة في الدقيقة الأخيرة. تبدأ هذه الإجابة بعد ${wait}.`,
      store_away: () => "تعذّر الوصول إلى قاعدة بيانات الخادم. تبدأ هذه الإجابة حين تعود.",
    },
    retryIn: (wait) => `حاول مرة أخرى بعد ${wait}.`,
    retryNow: "يمكنك المحاولة الآن.",
    limitIs: (size) => `الحد الأقصى ${size}.`,
    seconds: (n, form) => pick(form, { one: "ثانية واحدة", two: "ثانيتين", few: `${n} ثوانٍ` }, `${n} ثانية`),
    minutes: (n, form) => pick(form, { one: "دقيقة واحدة", two: "دقيقتين", few: `${n} دقائق` }, `${n} دقيقة`),
    hours: (n, form) => pick(form, { one: "ساعة واحدة", two: "ساعتين", few: `${n} ساعات` }, `${n} ساعة`),
  },
};

/**
 * @param {string} form of the number
 * @param {Record<string, string>} forms
 * @param {string} other
 */
function pick(form, forms, other) {
  return forms[form] ?? other;
}

/** Return them in the language that the page speaks. */
export function spokenOfRefusals() {
  return refusalWords[language] ?? en;
}
