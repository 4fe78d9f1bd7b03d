"""The sentences with which models introduce the rest of an answer, in the six languages of the page.

They are without capitals and marks of emphasis, and with single spaces.
"""

from __future__ import annotations

from functools import cache
from itertools import product

_AGREEMENTS = (
    *(
        "sure",
        "sure thing",
        "certainly",
        "of course",
        "absolutely",
        "okay",
        "ok",
        "alright",
        "all right",
        "got it",
    ),
    *("understood", "no problem", "sorry", "sorry about that", "my apologies", "apologies", "yes"),
    *(
        "klar",
        "natürlich",
        "gerne",
        "gern",
        "selbstverständlich",
        "sicher",
        "entschuldigung",
        "alles klar",
        "verstanden",
    ),
    *("bien sûr", "certainement", "d'accord", "absolument", "entendu", "désolé", "désolée", "très bien"),
    *(
        "claro",
        "claro que sí",
        "por supuesto",
        "desde luego",
        "de acuerdo",
        "vale",
        "entendido",
        "lo siento",
        "perdón",
    ),
    *("好的", "好", "当然", "当然可以", "没问题", "明白", "抱歉", "对不起", "可以"),
    *("بالتأكيد", "بالطبع", "حسنا", "طبعا", "نعم", "عذرا", "آسف", "أكيد"),
)
# That the answer goes on where it stopped: lists of which one each is taken, in this order.
_WHERE_IT_STOPPED = (
    (
        (
            *(
                "continuing",
                "continuing exactly",
                "continuing right",
                "picking up",
                "picking up right",
                "resuming",
            ),
            *("i'll continue", "i will continue", "i'll pick up", "i will pick up", "i'll resume"),
            *(
                "i'll continue exactly",
                "i'll continue right",
                "let me continue",
                "let me pick up",
                "let's continue",
            ),
        ),
        ("from where", "where", "from exactly where", "from the point where"),
        (
            *("i", "we", "it", "you", "the answer", "the response", "the text", "the code", "my answer"),
            *("the previous answer", "the previous response", "my last answer", "my previous response"),
        ),
        (
            "left off",
            "stopped",
            "was cut off",
            "were cut off",
            "got cut off",
            "was interrupted",
            "broke off",
            "ended",
        ),
    ),
    (
        (
            *(
                "ich fahre dort fort,",
                "ich fahre genau dort fort,",
                "ich fahre da fort,",
                "ich setze dort fort,",
            ),
            *("ich mache dort weiter,", "ich mache genau dort weiter,", "ich mache da weiter,"),
            *("ich setze genau dort fort,", "es geht dort weiter,", "weiter geht es dort,"),
        ),
        ("wo",),
        ("ich", "sie", "es", "die antwort", "der text", "der code", "meine antwort", "die letzte antwort"),
        (
            *("aufgehört habe", "aufgehört hat", "aufhörte", "stehen geblieben bin", "unterbrochen wurde"),
            *("abgebrochen ist", "abgebrochen wurde", "abgeschnitten wurde", "endete"),
        ),
    ),
    (
        ("je continue", "je reprends", "je poursuis", "reprenons", "continuons", "je continue donc"),
        ("exactement là où", "là où", "à partir de là où", "à l'endroit où", "exactement à l'endroit où"),
        (
            *("je m'étais arrêté", "je me suis arrêté", "je m'étais arrêtée", "je me suis arrêtée"),
            *("nous nous étions arrêtés", "la réponse s'est arrêtée", "la réponse s'était arrêtée"),
            *("la réponse a été coupée", "le texte s'est arrêté", "j'ai été interrompu", "ça s'est arrêté"),
        ),
    ),
    (
        ("continúo", "continuaré", "continuando", "continuamos", "sigo", "seguiré", "retomo", "retomando"),
        ("desde donde", "exactamente desde donde", "donde", "exactamente donde", "a partir de donde"),
        (
            *("lo dejé", "lo dejamos", "me quedé", "nos quedamos", "me detuve", "se cortó", "se interrumpió"),
            *("se cortó la respuesta", "se interrumpió la respuesta", "se cortó el texto", "terminó"),
        ),
    ),
    (
        ("سأكمل", "سأتابع", "سأواصل", "أكمل", "أتابع", "أواصل", "متابعة", "لنكمل", "لنتابع"),
        ("من حيث", "من النقطة التي", "من المكان الذي"),
        (
            *("توقفت", "توقفنا", "توقف", "انقطع", "انقطعت", "انتهيت", "توقفت عنده", "توقفت عندها"),
            *("انقطع الرد", "توقف الرد", "انقطعت الإجابة", "توقفت الإجابة"),
        ),
    ),
)
_WHERE_IT_STOPPED_CHINESE = (
    ("", "我将", "我会", "我来", "让我", "下面", "接下来", "下面我将"),
    ("从", "接着", "继续从", "接着从"),
    (
        *("上次中断的地方", "上次停下的地方", "刚才中断的地方", "刚才停下的地方", "中断的地方", "断开的地方"),
        *("停下的地方", "上次中断处", "中断处", "断点处", "上文", "上面的内容", "刚才的内容", "之前的内容"),
    ),
    ("继续", "继续写", "接着写", "往下写", "继续输出", "继续回答"),
)
# That the rest follows. An answer may say so of something else than itself, so this counts only after an agreement, or in mid-sentence.
_THE_REST = (
    (
        ("here is", "here's", "here are", "this is", "below is"),
        ("the rest", "the remainder", "the continuation", "the remaining part"),
        (
            *(
                "",
                "of my answer",
                "of the answer",
                "of my response",
                "of the response",
                "of my previous answer",
            ),
            *(
                "of my previous response",
                "of the previous response",
                "of my last answer",
                "of it",
                "of the code",
            ),
            *("of the function", "of the text", "of the list", "of the story", "of the table", "of the file"),
            *("of the script", "of the class", "of the essay", "of the article", "of the poem"),
            *("from where i left off", "from where we left off", "from where it was cut off"),
        ),
    ),
    (
        ("hier ist", "hier kommt", "hier folgt", "es folgt", "nun folgt"),
        ("der rest", "die fortsetzung", "der restliche teil"),
        (
            *("", "meiner antwort", "der antwort", "meiner letzten antwort", "der vorherigen antwort"),
            *("des codes", "der funktion", "des textes", "der liste", "der geschichte", "der tabelle"),
        ),
    ),
    (
        ("voici", "voilà"),
        ("la suite", "le reste", "la fin"),
        (
            *("", "de ma réponse", "de la réponse", "de ma réponse précédente", "de la réponse précédente"),
            *("du code", "de la fonction", "du texte", "de la liste", "de l'histoire", "du tableau"),
        ),
    ),
    (
        ("aquí está", "aquí tienes", "aquí tiene", "aquí va", "este es", "esta es"),
        ("el resto", "la continuación", "lo que falta"),
        (
            *(
                "",
                "de mi respuesta",
                "de la respuesta",
                "de mi respuesta anterior",
                "de la respuesta anterior",
            ),
            *("del código", "de la función", "del texto", "de la lista", "de la historia", "de la tabla"),
        ),
    ),
    (
        ("إليك", "إليكم", "هذه", "هذا", "فيما يلي"),
        ("بقية", "تتمة", "تكملة", "باقي"),
        (
            *("الإجابة", "الرد", "إجابتي", "ردي", "إجابتي السابقة", "الكود", "الشيفرة"),
            *("النص", "القائمة", "القصة", "الجدول"),
        ),
    ),
)
_THE_REST_CHINESE = (
    ("以下是", "下面是", "这是", "这里是", "以下为"),
    ("剩余", "剩下", "其余", "后续", "余下", "剩余的", "剩下的", "其余的"),
    ("部分", "内容", "的部分", "的内容", "代码", "的代码"),
)

SORTED_AGREEMENTS = sorted(_AGREEMENTS)


@cache
def wordings(*, is_rest: bool) -> list[str]:
    """Return all sentences of a kind, sorted."""
    spaced = _THE_REST if is_rest else _WHERE_IT_STOPPED
    unspaced = _THE_REST_CHINESE if is_rest else _WHERE_IT_STOPPED_CHINESE
    found = {" ".join(filter(None, words)) for lists in spaced for words in product(*lists)}
    found |= {"".join(words) for words in product(*unspaced)}
    return sorted(found)
