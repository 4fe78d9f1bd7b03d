"""Answers in Markdown that are worth a picture."""

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
