/** Texts of the report of an import, in every language. Loaded with it. */
import { language } from "./words.js";

const englishImports = {
  heading: "Import result",
  /** `form` is the number's plural category in `Intl.PluralRules`. */
  imported: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} chat was imported.` : `${n} chats were imported.`),
  failed: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} chat could not be imported:` : `${n} chats could not be imported:`),
  more: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `and ${n} more` : `and ${n} more`),
  images: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} image is missing: the file doesn’t contain it, or it can’t be shown.` : `${n} images are missing: the file doesn’t contain them, or they can’t be shown.`),
  files: (/** @type {string} */ n, /** @type {string} */ form) => (form === "one" ? `${n} attached file is missing: the export doesn’t contain its text.` : `${n} attached files are missing: the export doesn’t contain their text.`),
  unnamed: (/** @type {string} */ n) => `Chat ${n}`,
  damaged: (/** @type {string} */ place) => `damaged at ${place}`,
  reasons: {
    not_json: "not valid JSON",
    unknown_format: "in a format that can’t be imported",
    no_messages: "has no messages",
    too_many_messages: "has too many messages",
    too_large: "too large",
    storage_full: "no storage left",
    unavailable: "the server did not respond",
    other: "could not be read",
  },
  stopped: {
    cut: "The file ends in the middle of a chat. The chats before it were read.",
    too_large: "The file is too large. The rest of it was not read.",
    unavailable: "The server stopped responding. The rest of the file was not imported.",
    cancelled: "You cancelled the import. The rest of the file was not imported.",
  },
};

/** @typedef {typeof englishImports} ImportWords */

/** @type {Record<string, ImportWords>} */
export const importWords = {
  en: englishImports,
  de: {
    heading: "Importergebnis",
    imported: (n, form) => (form === "one" ? `${n} Chat wurde importiert.` : `${n} Chats wurden importiert.`),
    failed: (n, form) => (form === "one" ? `${n} Chat konnte nicht importiert werden:` : `${n} Chats konnten nicht importiert werden:`),
    more: (n) => `und ${n} weitere`,
    images: (n, form) => (form === "one" ? `${n} Bild fehlt: Die Datei enthält es nicht, oder es lässt sich nicht anzeigen.` : `${n} Bilder fehlen: Die Datei enthält sie nicht, oder sie lassen sich nicht anzeigen.`),
    files: (n, form) => (form === "one" ? `${n} angehängte Datei fehlt: Ihr Text ist im Export nicht enthalten.` : `${n} angehängte Dateien fehlen: Ihr Text ist im Export nicht enthalten.`),
    unnamed: (n) => `Chat ${n}`,
    damaged: (place) => `beschädigt bei ${place}`,
    reasons: {
      not_json: "kein gültiges JSON",
      unknown_format: "in einem Format, das nicht importiert werden kann",
      no_messages: "enthält keine Nachrichten",
      too_many_messages: "enthält zu viele Nachrichten",
      too_large: "zu groß",
      storage_full: "kein Speicherplatz mehr",
      unavailable: "der Server hat nicht geantwortet",
      other: "nicht lesbar",
    },
    stopped: {
      cut: "Die Datei endet mitten in einem Chat. Die Chats davor wurden gelesen.",
      too_large: "Die Datei ist zu groß. Der Rest wurde nicht gelesen.",
      unavailable: "Der Server antwortet nicht mehr. Der Rest der Datei wurde nicht importiert.",
      cancelled: "Der Import wurde abgebrochen. Der Rest der Datei wurde nicht importiert.",
    },
  },
  fr: {
    heading: "Résultat de l’importation",
    imported: (n, form) => (form === "one" ? `${n} conversation a été importée.` : `${n} conversations ont été importées.`),
    failed: (n, form) => (form === "one" ? `${n} conversation n’a pas pu être importée :` : `${n} conversations n’ont pas pu être importées :`),
    more: (n, form) => (form === "one" ? `et ${n} autre` : `et ${n} autres`),
    images: (n, form) => (form === "one" ? `Il manque ${n} image : le fichier ne la contient pas, ou elle ne peut pas être affichée.` : `Il manque ${n} images : le fichier ne les contient pas, ou elles ne peuvent pas être affichées.`),
    files: (n, form) => (form === "one" ? `Il manque ${n} pièce jointe : l’export n’en contient pas le texte.` : `Il manque ${n} pièces jointes : l’export n’en contient pas le texte.`),
    unnamed: (n) => `Conversation ${n}`,
    damaged: (place) => `endommagée (${place})`,
    reasons: {
      not_json: "JSON non valide",
      unknown_format: "format qui ne peut pas être importé",
      no_messages: "ne contient aucun message",
      too_many_messages: "contient trop de messages",
      too_large: "trop volumineuse",
      storage_full: "espace de stockage épuisé",
      unavailable: "le serveur n’a pas répondu",
      other: "illisible",
    },
    stopped: {
      cut: "Le fichier s’interrompt au milieu d’une conversation. Les conversations précédentes ont été lues.",
      too_large: "Le fichier est trop volumineux. Le reste n’a pas été lu.",
      unavailable: "Le serveur ne répond plus. Le reste du fichier n’a pas été importé.",
      cancelled: "Vous avez annulé l’importation. Le reste du fichier n’a pas été importé.",
    },
  },
  es: {
    heading: "Resultado de la importación",
    imported: (n, form) => (form === "one" ? `Se importó ${n} chat.` : `Se importaron ${n} chats.`),
    failed: (n, form) => (form === "one" ? `No se pudo importar ${n} chat:` : `No se pudieron importar ${n} chats:`),
    more: (n) => `y ${n} más`,
    images: (n, form) => (form === "one" ? `Falta ${n} imagen: el archivo no la contiene o no se puede mostrar.` : `Faltan ${n} imágenes: el archivo no las contiene o no se pueden mostrar.`),
    files: (n, form) => (form === "one" ? `Falta ${n} archivo adjunto: la exportación no contiene su texto.` : `Faltan ${n} archivos adjuntos: la exportación no contiene su texto.`),
    unnamed: (n) => `Chat ${n}`,
    damaged: (place) => `dañado en ${place}`,
    reasons: {
      not_json: "no es JSON válido",
      unknown_format: "está en un formato que no se puede importar",
      no_messages: "no tiene mensajes",
      too_many_messages: "tiene demasiados mensajes",
      too_large: "demasiado grande",
      storage_full: "no queda espacio",
      unavailable: "el servidor no respondió",
      other: "no se pudo leer",
    },
    stopped: {
      cut: "El archivo termina en medio de un chat. Se leyeron los chats anteriores.",
      too_large: "El archivo es demasiado grande. No se leyó el resto.",
      unavailable: "El servidor dejó de responder. No se importó el resto del archivo.",
      cancelled: "Ha cancelado la importación. No se importó el resto del archivo.",
    },
  },
  zh: {
    heading: "导入结果",
    imported: (n) => `已导入 ${n} 个对话。`,
    failed: (n) => `${n} 个对话无法导入：`,
    more: (n) => `还有 ${n} 个`,
    images: (n) => `缺少 ${n} 张图片：文件中没有这些图片，或者无法显示。`,
    files: (n) => `缺少 ${n} 个附件：导出文件中没有其文本。`,
    unnamed: (n) => `对话 ${n}`,
    damaged: (place) => `在 ${place} 处已损坏`,
    reasons: {
      not_json: "不是有效的 JSON",
      unknown_format: "无法导入此格式",
      no_messages: "没有消息",
      too_many_messages: "消息过多",
      too_large: "过大",
      storage_full: "存储空间不足",
      unavailable: "服务器没有响应",
      other: "无法读取",
    },
    stopped: {
      cut: "文件在某个对话中间中断，之前的对话已读取。",
      too_large: "文件过大，其余部分未读取。",
      unavailable: "服务器停止响应，文件的其余部分未导入。",
      cancelled: "您已取消导入，文件的其余部分未导入。",
    },
  },
  ar: {
    heading: "نتيجة الاستيراد",
    imported: (n, form) => ({ zero: "لم تُستورد أي محادثة.", one: "استُوردت محادثة واحدة.", two: "استُوردت محادثتان.", few: `استُوردت ${n} محادثات.` })[form] ?? `استُوردت ${n} محادثة.`,
    failed: (n, form) => ({ one: "تعذّر استيراد محادثة واحدة:", two: "تعذّر استيراد محادثتين:", few: `تعذّر استيراد ${n} محادثات:` })[form] ?? `تعذّر استيراد ${n} محادثة:`,
    more: (n) => `و${n} أخرى`,
    images: (n, form) => ({ one: "صورة واحدة مفقودة: لا يحتوي الملف عليها، أو لا يمكن عرضها.", two: "صورتان مفقودتان: لا يحتوي الملف عليهما، أو لا يمكن عرضهما.", few: `${n} صور مفقودة: لا يحتوي الملف عليها، أو لا يمكن عرضها.` })[form] ?? `${n} صورة مفقودة: لا يحتوي الملف عليها، أو لا يمكن عرضها.`,
    files: (n, form) => ({ one: "ملف مرفق واحد مفقود: لا يحتوي التصدير على نصه.", two: "ملفان مرفقان مفقودان: لا يحتوي التصدير على نصهما.", few: `${n} ملفات مرفقة مفقودة: لا يحتوي التصدير على نصها.` })[form] ?? `${n} ملفًا مرفقًا مفقودًا: لا يحتوي التصدير على نصها.`,
    unnamed: (n) => `المحادثة ${n}`,
    damaged: (place) => `تالفة عند ${place}`,
    reasons: {
      not_json: "ليست بصيغة JSON صالحة",
      unknown_format: "بصيغة لا يمكن استيرادها",
      no_messages: "لا تحتوي على رسائل",
      too_many_messages: "تحتوي على رسائل كثيرة جدًا",
      too_large: "حجمها كبير جدًا",
      storage_full: "لم تعد هناك مساحة تخزين",
      unavailable: "لم يستجب الخادم",
      other: "تعذّرت قراءتها",
    },
    stopped: {
      cut: "ينتهي الملف في منتصف محادثة. قُرئت المحادثات التي قبلها.",
      too_large: "الملف كبير جدًا. لم تُقرأ بقيته.",
      unavailable: "توقف الخادم عن الاستجابة. لم تُستورد بقية الملف.",
      cancelled: "أُلغي الاستيراد. لم تُستورد بقية الملف.",
    },
  },
};

/** Return the texts in the page's language. */
export function getImportWords() {
  return importWords[language] ?? englishImports;
}
