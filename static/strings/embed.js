/** Texts of the chat on other sites, in every language; loaded with it. */
import { language } from "./words.js";

const english = {
  open: "Open chat",
  close: "Close chat",
  title: "Chat",
  privacy: "Privacy",
  signIn: "Sign in at this site to chat.",
  refused: "This chat isn’t available here.",
  offline: "The chat can’t be reached right now.",
  retry: "Try again",
};

/** @typedef {typeof english} EmbedWords */

/** @type {Record<string, EmbedWords>} */
export const embedWords = {
  en: english,
  de: {
    open: "Chat öffnen",
    close: "Chat schließen",
    title: "Unterhaltung",
    privacy: "Datenschutz",
    signIn: "Melden Sie sich auf dieser Website an, um zu chatten.",
    refused: "Dieser Chat ist hier nicht verfügbar.",
    offline: "Der Chat ist gerade nicht erreichbar.",
    retry: "Erneut versuchen",
  },
  fr: {
    open: "Ouvrir le chat",
    close: "Fermer le chat",
    title: "Discussion",
    privacy: "Confidentialité",
    signIn: "Connectez-vous à ce site pour discuter.",
    refused: "Ce chat n’est pas disponible ici.",
    offline: "Le chat est injoignable pour le moment.",
    retry: "Réessayer",
  },
  es: {
    open: "Abrir el chat",
    close: "Cerrar el chat",
    title: "Conversación",
    privacy: "Privacidad",
    signIn: "Inicia sesión en este sitio para chatear.",
    refused: "Este chat no está disponible aquí.",
    offline: "No se puede conectar con el chat ahora.",
    retry: "Reintentar",
  },
  zh: {
    open: "打开聊天",
    close: "关闭聊天",
    title: "聊天",
    privacy: "隐私",
    signIn: "请先在本网站登录再聊天。",
    refused: "此处无法使用该聊天。",
    offline: "暂时无法连接聊天。",
    retry: "重试",
  },
  ar: {
    open: "فتح الدردشة",
    close: "إغلاق الدردشة",
    title: "الدردشة",
    privacy: "الخصوصية",
    signIn: "سجّل الدخول في هذا الموقع للدردشة.",
    refused: "هذه الدردشة غير متاحة هنا.",
    offline: "لا يمكن الوصول إلى الدردشة الآن.",
    retry: "إعادة المحاولة",
  },
};

/** Return the texts in the language of the chat. */
export function getEmbedWords() {
  return embedWords[language] ?? english;
}
