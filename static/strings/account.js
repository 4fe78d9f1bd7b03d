/**
 * `strings/`: Every text that a person reads, in each language, and the formats of numbers, dates and names. Elements are
 * built elsewhere.
 */
/** Texts of the device list and of moving a visitor's chats, in every language. Loaded with those dialogs. */
import { language } from "./words.js";

const en = {
  intro: "You’re signed in on these devices.",
  loading: "Loading…",
  unknown: "Unknown device",
  here: "This device",
  seen: (/** @type {string} */ when) => `Active ${when}`,
  signOut: (/** @type {string} */ device) => `Sign out of ${device}`,
  signOutOthers: "Sign out of all other devices",
  ended: (/** @type {string} */ device) => `Signed out of ${device}`,
  othersEnded: "Signed out of all other devices.",

  /** `form` is the number's plural category in `Intl.PluralRules`. */
  earlier: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `This browser has ${n} chat from before you signed in.` : `This browser has ${n} chats from before you signed in.`),
  move: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `Move ${n} chat here` : `Move ${n} chats here`),
  moved: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} chat moved.` : `${n} chats moved.`),
};

/** @typedef {typeof en} AccountWords */

/** @type {Record<string, AccountWords>} */
export const accountWords = {
  en,
  de: {
    intro: "Sie sind auf diesen Geräten angemeldet.",
    loading: "Wird geladen …",
    unknown: "Unbekanntes Gerät",
    here: "Dieses Gerät",
    seen: (when) => `Zuletzt aktiv: ${when}`,
    signOut: (device) => `${device} abmelden`,
    signOutOthers: "Alle anderen Geräte abmelden",
    ended: (device) => `${device} abgemeldet`,
    othersEnded: "Alle anderen Geräte wurden abgemeldet.",
    earlier: (n, form) => (form === "one" ? `In diesem Browser gibt es ${n} Chat aus der Zeit vor Ihrer Anmeldung.` : `In diesem Browser gibt es ${n} Chats aus der Zeit vor Ihrer Anmeldung.`),
    move: (n, form) => (form === "one" ? `${n} Chat übernehmen` : `${n} Chats übernehmen`),
    moved: (n, form) => (form === "one" ? `${n} Chat übernommen.` : `${n} Chats übernommen.`),
  },
  fr: {
    intro: "Vous êtes connecté sur ces appareils.",
    loading: "Chargement…",
    unknown: "Appareil inconnu",
    here: "Cet appareil",
    seen: (when) => `Dernière activité : ${when}`,
    signOut: (device) => `Déconnecter ${device}`,
    signOutOthers: "Déconnecter tous les autres appareils",
    ended: (device) => `${device} déconnecté`,
    othersEnded: "Tous les autres appareils ont été déconnectés.",
    earlier: (n, form) => (form === "one" ? `Ce navigateur contient ${n} conversation d’avant votre connexion.` : `Ce navigateur contient ${n} conversations d’avant votre connexion.`),
    move: (n, form) => (form === "one" ? `Transférer ${n} conversation ici` : `Transférer ${n} conversations ici`),
    moved: (n, form) => (form === "one" ? `${n} conversation transférée.` : `${n} conversations transférées.`),
  },
  es: {
    intro: "Ha iniciado sesión en estos dispositivos.",
    loading: "Cargando…",
    unknown: "Dispositivo desconocido",
    here: "Este dispositivo",
    seen: (when) => `Última actividad: ${when}`,
    signOut: (device) => `Cerrar la sesión de ${device}`,
    signOutOthers: "Cerrar las demás sesiones",
    ended: (device) => `Se cerró la sesión de ${device}`,
    othersEnded: "Se cerraron las demás sesiones.",
    earlier: (n, form) => (form === "one" ? `Este navegador tiene ${n} chat de antes de iniciar sesión.` : `Este navegador tiene ${n} chats de antes de iniciar sesión.`),
    move: (n, form) => (form === "one" ? `Traer ${n} chat aquí` : `Traer ${n} chats aquí`),
    moved: (n, form) => (form === "one" ? `Se trajo ${n} chat.` : `Se trajeron ${n} chats.`),
  },
  zh: {
    intro: "您已在以下设备上登录。",
    loading: "正在加载…",
    unknown: "未知设备",
    here: "此设备",
    seen: (when) => `上次活跃：${when}`,
    signOut: (device) => `在 ${device} 上退出登录`,
    signOutOthers: "在所有其他设备上退出登录",
    ended: (device) => `已在 ${device} 上退出登录`,
    othersEnded: "已在所有其他设备上退出登录。",
    earlier: (n) => `此浏览器中有 ${n} 个登录前的对话。`,
    move: (n) => `将 ${n} 个对话移至此账户`,
    moved: (n) => `已移动 ${n} 个对话。`,
  },
  ar: {
    intro: "أنت مسجّل الدخول على هذه الأجهزة.",
    loading: "جارٍ التحميل…",
    unknown: "جهاز غير معروف",
    here: "هذا الجهاز",
    seen: (when) => `آخر نشاط: ${when}`,
    signOut: (device) => `تسجيل الخروج من ${device}`,
    signOutOthers: "تسجيل الخروج من كل الأجهزة الأخرى",
    ended: (device) => `تم تسجيل الخروج من ${device}`,
    othersEnded: "تم تسجيل الخروج من كل الأجهزة الأخرى.",
    earlier: (n, form) => `في هذا المتصفح ${inArabic(n, form, "محادثة واحدة", "محادثتان", "محادثات", "محادثة")} من قبل تسجيل دخولك.`,
    move: (n, form) => `نقل ${inArabic(n, form, "محادثة واحدة", "محادثتين", "محادثات", "محادثة")} إلى هنا`,
    moved: (n, form) => `نُقلت ${inArabic(n, form, "محادثة واحدة", "محادثتان", "محادثات", "محادثة")}.`,
  },
};

/**
 * Return a number with its Arabic noun.
 * @param {string} n
 * @param {string} form
 * @param {string} one
 * @param {string} two
 * @param {string} few after the number
 * @param {string} other after the number
 */
function inArabic(n, form, one, two, few, other) {
  if (form === "one" || form === "two") return form === "one" ? one : two;
  return `${n} ${form === "few" ? few : other}`;
}

/** Return the texts in the page's language. */
export function getAccountWords() {
  return accountWords[language] ?? en;
}
