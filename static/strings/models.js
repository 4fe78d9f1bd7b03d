/** The texts of the list of models, in every language, and its numbers. Loaded with it. */
import { formatDollars } from "./format.js";
import { language } from "./words.js";

const en = {
  search: "Search models",
  recent: "Recent",
  isDefault: "Default",
  context: (/** @type {string} */ tokens) => `${tokens} context`,
  prices: (/** @type {string} */ input, /** @type {string} */ output) => `${input} in, ${output} out`,
  free: "Free",
  perMillion: "Prices per million tokens",
  images: "Accepts images",
  reasoning: "Thinks before it responds",
  loading: "Loading models…",
  none: "No models found",
  more: (/** @type {string} */ count) => `${count} more. Search to find them.`,
};

/** @typedef {typeof en} ModelWords */

/** @type {Record<string, ModelWords>} */
export const modelWords = {
  en,
  de: {
    search: "Modelle suchen",
    recent: "Zuletzt verwendet",
    isDefault: "Standard",
    context: (tokens) => `${tokens} Kontext`,
    prices: (input, output) => `${input} Eingabe, ${output} Ausgabe`,
    free: "Kostenlos",
    perMillion: "Preise pro Million Token",
    images: "Versteht Bilder",
    reasoning: "Denkt vor der Antwort nach",
    loading: "Modelle werden geladen …",
    none: "Keine Modelle gefunden",
    more: (count) => `${count} weitere. Die Suche findet sie.`,
  },
  fr: {
    search: "Rechercher un modèle",
    recent: "Récents",
    isDefault: "Par défaut",
    context: (tokens) => `${tokens} de contexte`,
    prices: (input, output) => `${input} en entrée, ${output} en sortie`,
    free: "Gratuit",
    perMillion: "Prix par million de tokens",
    images: "Accepte les images",
    reasoning: "Réfléchit avant de répondre",
    loading: "Chargement des modèles…",
    none: "Aucun modèle trouvé",
    more: (count) => `${count} de plus. Utilisez la recherche.`,
  },
  es: {
    search: "Buscar modelos",
    recent: "Recientes",
    isDefault: "Predeterminado",
    context: (tokens) => `${tokens} de contexto`,
    prices: (input, output) => `${input} de entrada, ${output} de salida`,
    free: "Gratis",
    perMillion: "Precios por millón de tokens",
    images: "Acepta imágenes",
    reasoning: "Razona antes de responder",
    loading: "Cargando modelos…",
    none: "No se encontraron modelos",
    more: (count) => `${count} más. Use la búsqueda para encontrarlos.`,
  },
  zh: {
    search: "搜索模型",
    recent: "最近使用",
    isDefault: "默认",
    context: (tokens) => `上下文 ${tokens}`,
    prices: (input, output) => `输入 ${input}，输出 ${output}`,
    free: "免费",
    perMillion: "价格按每百万 token 计算",
    images: "支持图片",
    reasoning: "回答前先思考",
    loading: "正在加载模型…",
    none: "未找到模型",
    more: (count) => `还有 ${count} 个，请通过搜索查找。`,
  },
  ar: {
    search: "البحث عن نموذج",
    recent: "المستخدمة مؤخرًا",
    isDefault: "الافتراضي",
    context: (tokens) => `سياق ${tokens}`,
    prices: (input, output) => `الإدخال ${input}، الإخراج ${output}`,
    free: "مجاني",
    perMillion: "الأسعار لكل مليون رمز",
    images: "يقبل الصور",
    reasoning: "يفكّر قبل الرد",
    loading: "جارٍ تحميل النماذج…",
    none: "لم يُعثر على نماذج",
    more: (count) => `نماذج أخرى: ${count}. استخدم البحث للعثور عليها.`,
  },
};

/** Return the texts in the page's language. */
export function getModelWords() {
  return modelWords[language] ?? en;
}

/**
 * Format a number of tokens: 128K, 1M.
 * @param {number} tokens
 */
export function formatWindow(tokens) {
  return new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 }).format(roundBinary(tokens));
}

/**
 * Return 128,000 for 131,072, as the size is commonly called; other numbers as they are.
 * @param {number} tokens
 */
function roundBinary(tokens) {
  return tokens % 1024 === 0 && tokens % 1000 !== 0 && tokens < 1_000_000 ? (tokens / 1024) * 1000 : tokens > 1_000_000 ? Math.round(tokens / 100_000) * 100_000 : tokens;
}

/**
 * Format a price in US dollars: $2, $0.10, $0.075.
 * @param {number} dollars
 */
export function formatPrice(dollars) {
  return formatDollars(dollars, Number.isInteger(dollars) ? 0 : 2, 4);
}
