/** Every word of the page that a person reads, in Arabic. */

/**
 * @param {string} form
 * @param {Record<string, string>} forms
 * @param {string} other
 */
const pick = (form, forms, other) => forms[form] ?? other;

/** @type {import("./en.js").Words} */
export const ar = {
  name: "Freshet",
  troubles: {
    upstream_unreachable: { title: "تعذّر الوصول إلى خدمة النموذج.", advice: "يزول هذا غالبًا. حاول مرة أخرى بعد قليل." },
    upstream_tls: {
      title: "لم تستطع خدمة النموذج إثبات هويتها.",
      advice: "رُفضت شهادتها، وعلى من يدير هذا الخادم أن ينظر في الأمر.",
    },
    upstream_timeout: { title: "لم يبدأ النموذج بالإجابة في الوقت المحدد.", advice: "حاول مرة أخرى، أو اطرح سؤالًا أقصر." },
    upstream_auth: { title: "رفضت خدمة النموذج مفتاح هذا الخادم.", advice: "على من يدير هذا الخادم أن يضع مفتاحًا صالحًا." },
    upstream_bad_request: {
      title: "لم تقبل خدمة النموذج الطلب.",
      advice: "ابدأ محادثة جديدة إن طالت هذه، أو اسأل بطريقة أخرى.",
    },
    upstream_rate_limited: { title: "تتلقى خدمة النموذج طلبات أكثر مما تقبل.", advice: "انتظر قليلًا ثم حاول مرة أخرى." },
    upstream_quota: { title: "نفد الرصيد لدى خدمة النموذج.", advice: "على من يدير هذا الخادم أن يعيد تعبئته." },
    upstream_overloaded: { title: "خدمة النموذج مثقلة بالطلبات.", advice: "حاول مرة أخرى بعد قليل." },
    upstream_stalled: { title: "توقف النموذج في منتصف إجابته.", advice: "حاول مرة أخرى للحصول على إجابة كاملة." },
    upstream_protocol: {
      title: "أرسلت خدمة النموذج شيئًا لا يمكن قراءته.",
      advice: "حاول مرة أخرى. وإن تكرر الأمر فأخبر من يدير هذا الخادم.",
    },
    upstream_redirect: {
      title: "أرادت خدمة النموذج تحويل الطلب إلى مكان آخر، فلم يُتّبع.",
      advice: "على من يدير هذا الخادم أن يتحقق من عنوانها.",
    },
    interrupted: { title: "انقطعت الإجابة في الطريق.", advice: "حاول مرة أخرى للحصول على إجابة كاملة." },
    budget_exceeded: { title: "بُلغ حد الإنفاق.", advice: "حاول لاحقًا، أو اسأل من يدير هذا الخادم." },
    internal: { title: "حدث خطأ في هذا الخادم.", advice: "حاول مرة أخرى. وإن تكرر الأمر فأخبر من يديره." },
    gone: { title: "لم تعد هذه الإجابة لدى الخادم.", advice: "حاول مرة أخرى للحصول على إجابة جديدة." },
    refused: { title: "لم يقبل الخادم السؤال.", advice: "حاول مرة أخرى، أو اسأل بطريقة أخرى." },
  },
  endings: {
    length: "بلغت الإجابة أقصى طول مسموح به. اطلب منها أن تتابع.",
    content_filter: "أنهى مرشّح المحتوى لدى النموذج هذه الإجابة. اسأل بطريقة أخرى.",
    tool_calls: "طلب النموذج أداة، ولا توجد أدوات هنا.",
    stopped: "أُوقفت.",
    orphan: "أُوقفت لأن أحدًا لم يكن يقرأ.",
    budget: "أُوقفت عند حد الإنفاق.",
    empty: "أعطى النموذج إجابة فارغة. حاول مرة أخرى، أو اسأل بطريقة أخرى.",
  },
  notices: {
    queued: "في انتظار مكان شاغر",
    not_saved: "لم تُحفظ هذه الإجابة بعد.",
    new_version: "توجد نسخة أحدث.",
  },

  newChat: "محادثة جديدة",
  signOut: "تسجيل الخروج",
  model: "النموذج",
  settings: "الإعدادات",
  system: "التعليمات",
  systemHint: "ما ينبغي أن يعرفه النموذج عنك، وكيف ينبغي أن يجيب",
  temperature: "درجة العشوائية",
  longest: "أطول إجابة، بالرموز",
  ownChoice: "كما هي",
  cancel: "إلغاء",
  save: "حفظ",

  speech: "قارئ الشاشة",
  speechModes: {
    sentences: "يقرأ الإجابات أثناء وصولها",
    status: "يُعلِم فقط عند اكتمالها",
    off: "لا يقول شيئًا",
  },

  shortcuts: "اختصارات لوحة المفاتيح",
  singleKeys: "استخدام المفاتيح المفردة",
  singleKeysHint: "تعمل حيثما لا تكتب.",
  deeds: {
    list: "عرض هذه القائمة",
    stop: "إيقاف الإجابة",
    write: "كتابة رسالة",
    fold: "إظهار المحادثات أو إخفاؤها",
    copy: "نسخ آخر إجابة",
    before: "الرسالة السابقة",
    after: "الرسالة التالية",
    line: "سطر جديد",
  },
  keyNames: { ctrl: "Ctrl", shift: "Shift", enter: "Enter", escape: "Esc" },

  composer: "الرسالة",
  placeholder: "اسأل عمّا تشاء",
  send: "إرسال",
  stop: "إيقاف",
  queued: "تُرسل حين تكتمل الإجابة",
  editQueued: "تعديل الرسالة المنتظرة",
  dropQueued: "سحب الرسالة المنتظرة",

  conversations: "المحادثات",
  searchList: "البحث في المحادثات",
  earlier: "قبل ذلك",
  noneYet: "ستظهر أسئلتك هنا.",
  noneFound: "لم يُعثر على شيء.",
  listAway: "تعذّر تحميل القائمة الآن.",
  running: "إجابة قيد الكتابة",

  more: (title) => `المزيد عن «${title}»`,
  rename: "إعادة التسمية",
  title: "العنوان",
  asMarkdown: "حفظ بصيغة Markdown",
  asJson: "حفظ بصيغة JSON",
  remove: "حذف",
  removed: (title) => `حُذفت: «${title}»`,
  reload: "إعادة التحميل",
  undo: "تراجع",
  close: "إغلاق",
  notDone: "لم ينجح ذلك. حاول مرة أخرى.",

  share: "مشاركة",
  shareTitle: "مشاركة هذه المحادثة",
  link: "الرابط المشترك",
  makeLink: "إنشاء رابط",
  stopSharing: "إيقاف المشاركة",
  shareNow: "يستطيع من لديه الرابط قراءة هذه المحادثة كما هي الآن مع صورها. أما ما تسأله لاحقًا والنسخ الأخرى فتبقى لك وحدك.",
  shareSince: (date) => `مشتركة منذ ${date}: يستطيع من لديه الرابط قراءة المحادثة كما كانت حينها مع صورها. أما ما جاء بعد ذلك والنسخ الأخرى فتبقى لك وحدك.`,
  shareLost: (date) => `مشتركة منذ ${date}. ما زال الرابط يعمل، لكن لا يمكن عرضه هنا مرة أخرى. ورابط جديد ينهيه.`,
  unshared: "لم يعد الرابط يعرض شيئًا.",

  edit: "تعديل السؤال",
  askInstead: "اسأل هذا بدلًا منه",
  regenerate: "أجب من جديد",
  goOn: "متابعة",
  copyMarkdown: "نسخ بصيغة Markdown",
  earlierVersion: "النسخة السابقة",
  laterVersion: "النسخة التالية",
  questionVersions: "نسخ السؤال",
  answerVersions: "نسخ الإجابة",

  missing: { title: "هذه المحادثة ليست هنا.", advice: "ربما حُذفت، أو أنها لشخص آخر. اسأل في الأسفل لتبدأ محادثة جديدة." },
  away: { title: "تعذّر تحميل هذه المحادثة الآن.", advice: "الخادم لا يستجيب. حاول مرة أخرى بعد قليل." },

  log: "المحادثة",
  question: "سؤالك",
  answer: "الإجابة",
  toBottom: "إلى أحدث النص",
  thinking: "التفكير",
  thoughtFor: (duration) => `فكّر لمدة ${duration}`,
  retry: "حاول مرة أخرى",
  retryIn: (seconds) => `قد تعود الخدمة بعد ${seconds} ث.`,
  partial: "ما وصل حتى ذلك الحين محفوظ.",

  emptyTitle: "ماذا تود أن تعرف؟",
  emptyModel: (model) => `الإجابات من ${model}.`,
  suggestions: ["اشرح المد والجزر لطفل في العاشرة", "خطّط لعطلة هادئة على البحر", "اكتب رسالة شكر قصيرة لزميل"],

  lost: "انقطع الاتصال. ستتابع الإجابة من تلقاء نفسها.",
  offline: "أنت غير متصل. ستتابع الإجابة حين تعود الشبكة.",
  busy: "الخادم مشغول. تجري المحاولة من جديد تلقائيًا.",
  demo: (settings) => `إجابات للعرض فقط. للحصول على إجابات حقيقية اضبط ${settings}.`,
  or: "أو",

  tokensIn: (count) => `الداخل ${count}`,
  tokensOut: (count) => `الخارج ${count}`,
  perSecond: (rate) => `${rate} رمز/ث`,
  about: (text) => `≈ ${text}`,
  estimated: "تقديري",

  code: "شيفرة",
  copy: "نسخ",
  copied: "نُسخ",
  notCopied: "حدّده وانسخه",
  table: "جدول",
  task: "مهمة",
  picture: (count) => `الصورة ${count}`,
  footnote: (number) => `الحاشية ${number}: العودة إلى النص`,

  said: {
    asked: "أُرسل السؤال.",
    stopped: "أُوقفت الإجابة.",
    failed: "فشلت الإجابة.",
    copied: "نُسخت الإجابة.",
    complete: (count) => `اكتملت الإجابة، ${count}.`,
    code: (language, lines) => `شيفرة، ${language}، ${lines}.`,
    plainCode: (lines) => `شيفرة، ${lines}.`,
    table: (rows, columns) => `جدول، ${rows}، ${columns}.`,
    formula: "صيغة رياضية",
  },

  counts: {
    words: (n, form) => pick(form, { zero: `${n} كلمة`, one: "كلمة واحدة", two: "كلمتان", few: `${n} كلمات`, many: `${n} كلمةً` }, `${n} كلمة`),
    lines: (n, form) => pick(form, { zero: `${n} سطر`, one: "سطر واحد", two: "سطران", few: `${n} أسطر`, many: `${n} سطرًا` }, `${n} سطر`),
    rows: (n, form) => pick(form, { zero: `${n} صف`, one: "صف واحد", two: "صفّان", few: `${n} صفوف`, many: `${n} صفًّا` }, `${n} صف`),
    columns: (n, form) => pick(form, { zero: `${n} عمود`, one: "عمود واحد", two: "عمودان", few: `${n} أعمدة`, many: `${n} عمودًا` }, `${n} عمود`),
  },
};
