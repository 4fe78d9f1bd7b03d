/**
 * Why the server refuses or delays a response, and how long to wait, in every language. Loaded when that happens.
 */
import { language } from "./words.js";

/** @typedef {import("./en.js").FailureText} FailureText */

/** By failure code. @type {Record<string, FailureText>} */
const refusals = {
  no_owner: { title: "Cookies are required.", advice: "Allow cookies for this site, then reload the page." },
  signed_out: { title: "You’re signed out.", advice: "Reload the page to sign in again." },
  too_many_answers: { title: "Too many responses are running.", advice: "Wait for one to finish, or stop one." },
  too_many_starts: { title: "You’re sending messages too quickly.", advice: "Wait a moment, then try again." },
  too_many_bytes: { title: "Your network has reached today’s upload limit.", advice: "Try again tomorrow." },
  too_many_visitors: { title: "Too many new visitors from your network.", advice: "Try again later." },
  question_too_large: { title: "This message is too long.", advice: "Shorten it, or start a new chat: earlier messages count too." },
  model_not_allowed: { title: "This model isn’t available to visitors.", advice: "Choose another model, then try again." },
  unsupported_effort: { title: "This model can’t reason with the chosen effort.", advice: "Change the reasoning effort in Settings, or choose another model." },
  image_url_not_allowed: { title: "Images can’t be sent as links.", advice: "Attach the image instead." },
  store_away: { title: "Can’t reach the server’s database.", advice: "Your chats are safe. Try again in a moment." },
};

/** Why a queued response has not started; `wait` is the time until it does. @type {Record<string, (wait: string) => string>} */
const delays = {
  too_many_answers: () => "Too many responses are running. This one starts when another finishes.",
  too_many_starts: (wait) => `You’re sending messages too quickly. This response starts in ${wait}.`,
  store_away: () => "Can’t reach the server’s database. This response starts when it’s back.",
};

const en = {
  refusals,
  delays,
  noModel: (/** @type {string} */ model) => `The provider has no model called ${model}.`,
  chooseOther: "Choose another.",
  chooseModel: "Choose a model",
  /** Titles that name the provider, by failure code. @type {Record<string, (provider: string) => string>} */
  named: {
    upstream_unreachable: (provider) => `Can’t reach ${provider}.`,
    upstream_tls: (provider) => `${provider}’s certificate couldn’t be verified.`,
  },
  addressIs: (/** @type {string} */ address) => `Address: ${address}.`,
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
    refusals: {
      no_owner: { title: "Cookies sind erforderlich.", advice: "Erlauben Sie Cookies für diese Website und laden Sie die Seite neu." },
      signed_out: { title: "Sie sind abgemeldet.", advice: "Laden Sie die Seite neu, um sich wieder anzumelden." },
      too_many_answers: { title: "Es laufen zu viele Antworten gleichzeitig.", advice: "Warten Sie, bis eine fertig ist, oder halten Sie eine an." },
      too_many_starts: { title: "Sie senden zu viele Nachrichten auf einmal.", advice: "Warten Sie kurz und versuchen Sie es dann noch einmal." },
      too_many_bytes: { title: "Das Upload-Limit Ihres Netzwerks ist für heute erreicht.", advice: "Versuchen Sie es morgen wieder." },
      too_many_visitors: { title: "Zu viele neue Besucher aus Ihrem Netzwerk.", advice: "Versuchen Sie es später noch einmal." },
      question_too_large: { title: "Diese Nachricht ist zu lang.", advice: "Kürzen Sie sie oder beginnen Sie einen neuen Chat: Frühere Nachrichten zählen mit." },
      model_not_allowed: { title: "Dieses Modell steht Besuchern nicht zur Verfügung.", advice: "Wählen Sie ein anderes Modell und versuchen Sie es noch einmal." },
      unsupported_effort: { title: "Dieses Modell unterstützt den gewählten Denkaufwand nicht.", advice: "Ändern Sie den Denkaufwand in den Einstellungen oder wählen Sie ein anderes Modell." },
      image_url_not_allowed: { title: "Bilder können nicht als Link gesendet werden.", advice: "Hängen Sie stattdessen das Bild an." },
      store_away: { title: "Die Datenbank des Servers ist nicht erreichbar.", advice: "Ihre Chats sind sicher. Versuchen Sie es gleich noch einmal." },
    },
    delays: {
      too_many_answers: () => "Es laufen zu viele Antworten. Diese beginnt, sobald eine andere fertig ist.",
      too_many_starts: (wait) => `Sie senden zu viele Nachrichten auf einmal. Diese Antwort beginnt in ${wait}.`,
      store_away: () => "Die Datenbank des Servers ist nicht erreichbar. Diese Antwort beginnt, sobald sie wieder da ist.",
    },
    noModel: (model) => `Der Anbieter hat kein Modell namens ${model}.`,
    chooseOther: "Wählen Sie ein anderes.",
    chooseModel: "Modell wählen",
    named: {
      upstream_unreachable: (provider) => `${provider} ist nicht erreichbar.`,
      upstream_tls: (provider) => `Das Zertifikat von ${provider} konnte nicht geprüft werden.`,
    },
    addressIs: (address) => `Adresse: ${address}.`,
    retryIn: (wait) => `Versuchen Sie es in ${wait} noch einmal.`,
    retryNow: "Sie können es jetzt noch einmal versuchen.",
    limitIs: (size) => `Das Limit liegt bei ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} Sekunde` : `${n} Sekunden`),
    minutes: (n, form) => (form === "one" ? `${n} Minute` : `${n} Minuten`),
    hours: (n, form) => (form === "one" ? `${n} Stunde` : `${n} Stunden`),
  },
  fr: {
    refusals: {
      no_owner: { title: "Les cookies sont nécessaires.", advice: "Autorisez les cookies pour ce site, puis rechargez la page." },
      signed_out: { title: "Vous êtes déconnecté.", advice: "Rechargez la page pour vous reconnecter." },
      too_many_answers: { title: "Trop de réponses sont en cours.", advice: "Attendez que l’une d’elles se termine, ou arrêtez-en une." },
      too_many_starts: { title: "Vous envoyez trop de messages.", advice: "Patientez un instant, puis réessayez." },
      too_many_bytes: { title: "Votre réseau a atteint sa limite d’envoi pour aujourd’hui.", advice: "Réessayez demain." },
      too_many_visitors: { title: "Trop de nouveaux visiteurs depuis votre réseau.", advice: "Réessayez plus tard." },
      question_too_large: { title: "Ce message est trop long.", advice: "Raccourcissez-le ou commencez une nouvelle conversation : les messages précédents comptent aussi." },
      model_not_allowed: { title: "Ce modèle n’est pas accessible aux visiteurs.", advice: "Choisissez un autre modèle, puis réessayez." },
      unsupported_effort: { title: "Ce modèle ne prend pas en charge l’effort de réflexion choisi.", advice: "Modifiez l’effort de réflexion dans les paramètres ou choisissez un autre modèle." },
      image_url_not_allowed: { title: "Les images ne peuvent pas être envoyées sous forme de lien.", advice: "Joignez plutôt l’image." },
      store_away: { title: "La base de données du serveur est injoignable.", advice: "Vos conversations sont en sécurité. Réessayez dans un instant." },
    },
    delays: {
      too_many_answers: () => "Trop de réponses sont en cours. Celle-ci commencera dès qu’une autre sera terminée.",
      too_many_starts: (wait) => `Vous envoyez trop de messages. Cette réponse commencera dans ${wait}.`,
      store_away: () => "La base de données du serveur est injoignable. Cette réponse commencera dès son retour.",
    },
    noModel: (model) => `Le fournisseur n’a pas de modèle nommé ${model}.`,
    chooseOther: "Choisissez-en un autre.",
    chooseModel: "Choisir un modèle",
    named: {
      upstream_unreachable: (provider) => `Impossible de joindre ${provider}.`,
      upstream_tls: (provider) => `Le certificat de ${provider} n’a pas pu être vérifié.`,
    },
    addressIs: (address) => `Adresse : ${address}.`,
    retryIn: (wait) => `Réessayez dans ${wait}.`,
    retryNow: "Vous pouvez réessayer.",
    limitIs: (size) => `La limite est de ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} seconde` : `${n} secondes`),
    minutes: (n, form) => (form === "one" ? `${n} minute` : `${n} minutes`),
    hours: (n, form) => (form === "one" ? `${n} heure` : `${n} heures`),
  },
  es: {
    refusals: {
      no_owner: { title: "Se necesitan cookies.", advice: "Permita las cookies de este sitio y recargue la página." },
      signed_out: { title: "Se cerró la sesión.", advice: "Recargue la página para volver a iniciarla." },
      too_many_answers: { title: "Hay demasiadas respuestas en curso.", advice: "Espere a que termine una o detenga alguna." },
      too_many_starts: { title: "Está enviando mensajes demasiado rápido.", advice: "Espere un momento e inténtelo de nuevo." },
      too_many_bytes: { title: "Su red alcanzó el límite de envío de hoy.", advice: "Inténtelo mañana." },
      too_many_visitors: { title: "Demasiados visitantes nuevos desde su red.", advice: "Inténtelo más tarde." },
      question_too_large: { title: "Este mensaje es demasiado largo.", advice: "Acórtelo o inicie un chat nuevo: los mensajes anteriores también cuentan." },
      model_not_allowed: { title: "Este modelo no está disponible para los visitantes.", advice: "Elija otro modelo e inténtelo de nuevo." },
      unsupported_effort: { title: "Este modelo no admite el esfuerzo de razonamiento elegido.", advice: "Cambie el esfuerzo de razonamiento en Ajustes o elija otro modelo." },
      image_url_not_allowed: { title: "Las imágenes no se pueden enviar como enlaces.", advice: "Adjunte la imagen." },
      store_away: { title: "No se puede acceder a la base de datos del servidor.", advice: "Sus chats están a salvo. Inténtelo de nuevo en un momento." },
    },
    delays: {
      too_many_answers: () => "Hay demasiadas respuestas en curso. Esta empezará cuando termine otra.",
      too_many_starts: (wait) => `Está enviando mensajes demasiado rápido. Esta respuesta empezará en ${wait}.`,
      store_away: () => "No se puede acceder a la base de datos del servidor. Esta respuesta empezará cuando vuelva.",
    },
    noModel: (model) => `El proveedor no tiene ningún modelo llamado ${model}.`,
    chooseOther: "Elija otro.",
    chooseModel: "Elegir un modelo",
    named: {
      upstream_unreachable: (provider) => `No se puede conectar con ${provider}.`,
      upstream_tls: (provider) => `No se pudo verificar el certificado de ${provider}.`,
    },
    addressIs: (address) => `Dirección: ${address}.`,
    retryIn: (wait) => `Inténtelo de nuevo en ${wait}.`,
    retryNow: "Ya puede intentarlo de nuevo.",
    limitIs: (size) => `El límite es de ${size}.`,
    seconds: (n, form) => (form === "one" ? `${n} segundo` : `${n} segundos`),
    minutes: (n, form) => (form === "one" ? `${n} minuto` : `${n} minutos`),
    hours: (n, form) => (form === "one" ? `${n} hora` : `${n} horas`),
  },
  zh: {
    refusals: {
      no_owner: { title: "需要启用 Cookie。", advice: "请允许此网站使用 Cookie，然后重新加载页面。" },
      signed_out: { title: "您已退出登录。", advice: "请重新加载页面并再次登录。" },
      too_many_answers: { title: "同时生成的回答过多。", advice: "请等待其中一个完成，或停止一个。" },
      too_many_starts: { title: "您发送消息过于频繁。", advice: "请稍等片刻再试。" },
      too_many_bytes: { title: "您的网络今天的上传量已达上限。", advice: "请明天再试。" },
      too_many_visitors: { title: "来自您网络的新访客过多。", advice: "请稍后再试。" },
      question_too_large: { title: "消息过长。", advice: "请缩短消息，或新建对话：之前的消息也计算在内。" },
      model_not_allowed: { title: "访客无法使用此模型。", advice: "请换一个模型后重试。" },
      unsupported_effort: { title: "此模型不支持所选的推理强度。", advice: "请在设置中更改推理强度，或换一个模型。" },
      image_url_not_allowed: { title: "不能以链接形式发送图片。", advice: "请直接添加图片。" },
      store_away: { title: "无法连接服务器的数据库。", advice: "您的对话不会丢失，请稍后重试。" },
    },
    delays: {
      too_many_answers: () => "同时生成的回答过多。其他回答完成后，此回答将自动开始。",
      too_many_starts: (wait) => `您发送消息过于频繁。此回答将在 ${wait}后开始。`,
      store_away: () => "无法连接服务器的数据库。恢复后，此回答将自动开始。",
    },
    noModel: (model) => `服务商没有名为 ${model} 的模型。`,
    chooseOther: "请选择其他模型。",
    chooseModel: "选择模型",
    named: {
      upstream_unreachable: (provider) => `无法连接 ${provider}。`,
      upstream_tls: (provider) => `无法验证 ${provider} 的证书。`,
    },
    addressIs: (address) => `地址：${address}。`,
    retryIn: (wait) => `请在 ${wait}后重试。`,
    retryNow: "现在可以重试。",
    limitIs: (size) => `上限为 ${size}。`,
    seconds: (n) => `${n} 秒`,
    minutes: (n) => `${n} 分钟`,
    hours: (n) => `${n} 小时`,
  },
  ar: {
    refusals: {
      no_owner: { title: "ملفات تعريف الارتباط مطلوبة.", advice: "اسمح بها لهذا الموقع، ثم أعد تحميل الصفحة." },
      signed_out: { title: "تم تسجيل خروجك.", advice: "أعد تحميل الصفحة لتسجيل الدخول من جديد." },
      too_many_answers: { title: "يوجد عدد كبير من الردود قيد الإنشاء.", advice: "انتظر حتى ينتهي أحدها، أو أوقف واحدًا." },
      too_many_starts: { title: "أنت ترسل الرسائل بسرعة كبيرة.", advice: "انتظر قليلًا، ثم حاول مرة أخرى." },
      too_many_bytes: { title: "بلغت شبكتك حد الرفع لهذا اليوم.", advice: "حاول مرة أخرى غدًا." },
      too_many_visitors: { title: "عدد كبير من الزوار الجدد من شبكتك.", advice: "حاول مرة أخرى لاحقًا." },
      question_too_large: { title: "هذه الرسالة طويلة جدًا.", advice: "اختصرها أو ابدأ محادثة جديدة: الرسائل السابقة محسوبة أيضًا." },
      model_not_allowed: { title: "هذا النموذج غير متاح للزوار.", advice: "اختر نموذجًا آخر، ثم حاول مرة أخرى." },
      unsupported_effort: { title: "هذا النموذج لا يدعم جهد الاستدلال المختار.", advice: "غيّر جهد الاستدلال في الإعدادات، أو اختر نموذجًا آخر." },
      image_url_not_allowed: { title: "لا يمكن إرسال الصور كروابط.", advice: "أرفق الصورة نفسها." },
      store_away: { title: "تعذّر الوصول إلى قاعدة بيانات الخادم.", advice: "محادثاتك في أمان. حاول مرة أخرى بعد قليل." },
    },
    delays: {
      too_many_answers: () => "يوجد عدد كبير من الردود قيد الإنشاء. سيبدأ هذا عند انتهاء غيره.",
      too_many_starts: (wait) => `أنت ترسل الرسائل بسرعة كبيرة. سيبدأ هذا الرد بعد ${wait}.`,
      store_away: () => "تعذّر الوصول إلى قاعدة بيانات الخادم. سيبدأ هذا الرد عند عودتها.",
    },
    noModel: (model) => `لا يوجد لدى مزوّد الخدمة نموذج باسم \u2068${model}\u2069.`,
    chooseOther: "اختر نموذجًا آخر.",
    chooseModel: "اختيار نموذج",
    named: {
      upstream_unreachable: (provider) => `تعذّر الوصول إلى \u2068${provider}\u2069.`,
      upstream_tls: (provider) => `تعذّر التحقق من شهادة \u2068${provider}\u2069.`,
    },
    addressIs: (address) => `العنوان: \u2068${address}\u2069.`,
    retryIn: (wait) => `حاول مرة أخرى بعد ${wait}.`,
    retryNow: "يمكنك المحاولة الآن.",
    limitIs: (size) => `الحد الأقصى ${size}.`,
    seconds: (n, form) => pick(form, { one: "ثانية واحدة", two: "ثانيتين", few: `${n} ثوانٍ` }, `${n} ثانية`),
    minutes: (n, form) => pick(form, { one: "دقيقة واحدة", two: "دقيقتين", few: `${n} دقائق` }, `${n} دقيقة`),
    hours: (n, form) => pick(form, { one: "ساعة واحدة", two: "ساعتين", few: `${n} ساعات` }, `${n} ساعة`),
  },
};

/**
 * Return the text of a plural category.
 * @param {string} form
 * @param {Record<string, string>} forms
 * @param {string} other
 */
function pick(form, forms, other) {
  return forms[form] ?? other;
}

/** Return the texts in the page's language. */
export function getRefusalWords() {
  return refusalWords[language] ?? en;
}
