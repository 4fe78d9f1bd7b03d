// Typical answers of models, with all constructs that could flicker.
export const CORPUS = {
  prose: `# A short title

Here is **the first** paragraph with *some emphasis*, a bit of \`code\`, and [a link](https://a.example/path "Title").
It goes on in a second line with ***both at once***, ~~something struck~~, and snake_case_words or 2 * 3 * 4.

Second paragraph: it costs $5 and $6, about ~100 items, x[1] = 2, a < b, R&amp;D, and 5 > 3. See https://a.example/b_c or me@a.example.

Line one with a break  
and line two\\
and a third.

---

> A quote with **bold** text
> over two lines
>
> - and a list

The end.
`,
  lists: `Here is what to do:
- First, do *this*
- Then **that**: carefully
  - nested one
  - nested two

    with a paragraph
- Last

1. One
2. Two with \`code\`
   \`\`\`python
   print("hello")
   \`\`\`
3. Three

- [ ] open task
- [x] done task

* loose one

* loose two

10. ten
11. eleven
`,
  tables: `| Name | Value | Notes |
|------|:-----:|------:|
| **a** | \`1\` | plain |
| b | 2 | [link](https://a.example) |

Here is another:

| x | y |
|---|---|
| 1 | 2 |
| a \\| b | ~~c~~ |

Done.
`,
  code: `Use this:

\`\`\`js
const a = \`template\`;
if (a < b) { return "*not emphasis*"; }
\`\`\`

And indented:

    four spaces
    # not a heading

Then ~~~ fences:

~~~
\`\`\`
~~~

Inline \`\`code with \` tick\`\` and \`more\`.
`,
  references: `See [the guide][g] and [another] one, ![picture][p] too.[^1]

More text with [^note] here.

[g]: https://a.example/guide "Guide"
[another]: <https://b.example>
[p]: https://c.example/p.png

[^1]: The first note.
[^note]: The second, with *emphasis*.

    And a second paragraph.

After.
`,
  html: `Press <kbd>Ctrl</kbd>+<kbd>C</kbd>, H<sub>2</sub>O, line<br>break, the <u>underlined</u> and <mark>marked *text*</mark>.

<details>
<summary>More</summary>

Inside **bold**.

</details>

A <span class="x">span</span> and <!-- a comment --> and List<String> too.
`,
  mathematics: `The formula \\(a^2 + b^2 = c^2\\) and

\\[
\\int_0^1 x\\,dx = \\frac{1}{2}
\\]

also $$e = mc^2$$ and a block:

$$
\\sum_{i=1}^n i
$$

Done for $5.
`,
  headings: `Setext title
============

Another
-------

## ATX with \`code\` ##

### Third *level*

#### Fourth

1986\\. A great year.
1. But this is a list
+ plus
= not
# 
Text
`,
  arabic: `# عنوان

هذا **نص** عربي مع \`code\` و[رابط](https://a.example).

- أولا
- ثانيا
`,
  cited: `Tides come from the Moon [1] and the Sun [2], see [3] as well. An index a[1] here.

- Fact [1]
- Other [12]
`,
  chats: `**注意：**请先备份。见 https://a.example/b，详见**「第一章」**的说明。
**Name:** Ann
**Age:** 30

The energy is $E = mc^2$ where $m_1$ is mass, it costs $5 and $10, or $20-$30, or 5~7 francs, takes ~3~5 minutes.

| Op | Meaning |
|---|---|
| \`a || b\` | or |

<details open class="x">
<summary>More</summary>

Hidden <sup class="y">2</sup>

</details>

\`\`\`markdown
# Title

\`\`\`bash
ls
\`\`\`
\`\`\`

After $x$.
`,
};
