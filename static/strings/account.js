/**
 * `strings/`: Every text that a person reads, in six languages, and how numbers and dates are written. Nothing
 * else on the page holds text.
 */
/** What is said of sessions and of what was a visitor's, in every language: loaded with what says it, which few need. */
import { language } from "./words.js";

const en = {
  intro: "You’re signed in on these devices.",
  loading: "Loading…",
  unknown: "Unknown device",
  here: "This device",
  seen: (/** @type {string} */ when) => `Active ${when}`,
  signOut: (/** @type {string} */ device) => `Sign out: ${device}`,
  signOutOthers: "Sign out everywhere else",
  ended: (/** @type {string} */ device) => `Signed out: ${device}`,
  othersEnded: "Signed out everywhere else.",

  /** `form` is the plural form of the number. */
  earlier: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `This browser has ${n} earlier conversation.` : `This browser has ${n} earlier conversations.`),
  move: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `Move ${n} conversation here` : `Move ${n} conversations here`),
  moved: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} conversation moved.` : `${n} conversations moved.`),
};

/** @typedef {typeof en} AccountWords */

/** @type {Record<string, AccountWords>} */
export const accountWords = {
  en,
  de: {
    intro: "Auf diesen Geräten sind Sie angemeldet.",
    loading: "Wird geladen …",
    unknown: "Unbekanntes Gerät",
    here: "Dieses Gerät",
    seen: (when) => `Aktiv ${when}`,
    signOut: (device) => `Abmelden: ${device}`,
    signOutOthers: "Überall sonst abmelden",
    ended: (device) => `Abgemeldet: ${device}`,
    othersEnded: "Überall sonst abgemeldet.",
    earlier: (n, form) => (form === "one" ? `In diesem Browser gibt es ${n} frühere Unterhaltung.` : `In diesem Browser gibt es ${n} frühere Unterhaltungen.`),
    move: (n, form) => (form === "one" ? `${n} Unterhaltung übernehmen` : `${n} Unterhaltungen übernehmen`),
    moved: (n, form) => (form === "one" ? `${n} Unterhaltung übernommen.` : `${n} Unterhaltungen übernommen.`),
  },
  fr: {
    intro: "Vous êtes connecté sur ces appareils.",
    loading: "Chargement…",
    unknown: "Appareil inconnu",
    here: "Cet appareil",
    seen: (when) => `Actif ${when}`,
    signOut: (device) => `Se déconnecter : ${device}`,
    signOutOthers: "Se déconnecter partout ailleurs",
    ended: (device) => `Déconnecté : ${device}`,
    othersEnded: "Déconnecté partout ailleurs.",
    earlier: (n, form) => (form === "one" ? `Ce navigateur contient ${n} ancienne discussion.` : `Ce navigateur contient ${n} anciennes discussions.`),
    move: (n, form) => (form === "one" ? `Reprendre ${n} discussion ici` : `Reprendre ${n} discussions ici`),
    moved: (n, form) => (form === "one" ? `${n} discussion reprise.` : `${n} discussions reprises.`),
  },
  es: {
    intro: "Ha iniciado sesión en estos dispositivos.",
    loading: "Cargando…",
    unknown: "Dispositivo desconocido",
    here: "Este dispositivo",
    seen: (when) => `Activo ${when}`,
    signOut: (device) => `Cerrar sesión: ${device}`,
    signOutOthers: "Cerrar las demás sesiones",
    ended: (device) => `Sesión cerrada: ${device}`,
    othersEnded: "Se cerraron las demás sesiones.",
    earlier: (n, form) => (form === "one" ? `Este navegador tiene ${n} conversación anterior.` : `Este navegador tiene ${n} conversaciones anteriores.`),
    move: (n, form) => (form === "one" ? `Traer aquí ${n} conversación` : `Traer aquí ${n} conversaciones`),
    moved: (n, form) => (form === "one" ? `Se trajo ${n} conversación.` : `Se trajeron ${n} conversaciones.`),
  },
  zh: {
    intro: "您已在以下设备上登录。",
    loading: "正在加载…",
    unknown: "未知设备",
    here: "此设备",
    seen: (when) => `上次使用：${when}`,
    signOut: (device) => `退出登录：${device}`,
    signOutOthers: "退出所有其他设备",
    ended: (device) => `已退出：${device}`,
    othersEnded: "已退出所有其他设备。",
    earlier: (n) => `此浏览器中有 ${n} 个以前的对话。`,
    move: (n) => `将 ${n} 个对话移到这里`,
    moved: (n) => `已移入 ${n} 个对话。`,
  },
  ar: {
    intro: "أنت مسجّل الدخول على هذه الأجهزة.",
    loading: "جارٍ التحميل…",
    unknown: "جهاز غير معروف",
    here: "هذا الجهاز",
    seen: (when) => `نشط ${when}`,
    signOut: (device) => `تسجيل الخروج: ${device}`,
    signOutOthers: "تسجيل الخروج من كل الأجهزة الأخرى",
    ended: (device) => `سُجّل الخروج: ${device}`,
    othersEnded: "سُجّل الخروج من كل الأجهزة الأخرى.",
    earlier: (n, form) => `في هذا المتصفح ${inArabic(n, form, "محادثة سابقة واحدة", "محادثتان سابقتان", "محادثات سابقة", "محادثة سابقة")}.`,
    move: (n, form) => `نقل ${inArabic(n, form, "محادثة واحدة", "محادثتين", "محادثات", "محادثة")} إلى هنا`,
    moved: (n, form) => `نُقلت ${inArabic(n, form, "محادثة واحدة", "محادثتان", "محادثات", "محادثة")}.`,
  },
};

/**
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

/** Return them in the language that the page speaks. */
export function spokenOfAccount() {
  return accountWords[language] ?? en;
}
