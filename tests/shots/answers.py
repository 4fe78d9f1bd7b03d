"""Markdown answers for screenshots."""

RICH = """\
# Melt and rain

A **freshet** is the rush of water that comes when *snow melts* or after heavy rain. Its height follows
[the degree-day method](https://example.org/degree-day): \\(M = C_m (T_a - T_b)\\).

1. Snow stores the winter's water.
2. Warm air and `rain-on-snow` release it:
   - slowly over frozen ground,
   - at once over soil that is full.
3. The river rises.

| River | Month | Peak, m³/s |
|-------|:-----:|-----------:|
| Fraser | June | 15,200 |
| Yukon | June | **6,400** |
| Ob | May | 43,800 |

```python
def melt(air: float, base: float = 0.0, rate: float = 4.5) -> float:
    \"\"\"Millimetres of water a day.\"\"\"
    return max(0.0, rate * (air - base))
```

$$
Q = \\frac{1}{n} A R^{2/3} \\sqrt{S}
$$

> Never stand on a bank that the water is **undercutting**.

- [x] Watch the gauge
- [ ] Move the car
"""

ARABIC = """\
# ذوبان الثلوج

**الفيضان الربيعي** هو اندفاع المياه عندما *تذوب الثلوج*، انظر [المقياس](https://example.org).

1. تخزن الثلوج مياه الشتاء.
2. يطلقها الهواء الدافئ:
   - ببطء فوق الأرض المتجمدة،
   - دفعة واحدة فوق التربة المشبعة.

| النهر | الشهر |
|------|------|
| الفرات | مايو |

```python
print("سلام")
```

> لا تقف على الضفة.
"""

SOURCES = (
    {
        "n": 1,
        "title": "Snowmelt and the rivers it feeds",
        "source": "https://rivers.example/snowmelt",
        "snippet": "A freshet comes when snow melts in the hills, often within days of the first warm rain.",
        "score": 0.93,
    },
    {
        "n": 2,
        "title": "flood-plan.pdf",
        "source": "flood-plan.pdf",
        "snippet": "When the gauge at the old bridge passes four metres, the lower streets are closed. Who lives "
        "there is told by telephone, and again by the bells of both churches.",
        "score": 0.71,
    },
    {
        "n": 3,
        "title": "ذوبان الثلوج",
        "source": "https://example.org/ar",
        "snippet": "يبدأ صغيرًا.",
        "score": 0.4,
    },
)
CITING = (
    "A freshet is the rush of water after the snow melts [1]. In the lower streets it can mean a night "
    "elsewhere [2], and it begins small [3]."
)
