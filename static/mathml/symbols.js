/** The commands for single symbols, and the letters of the mathematical alphabets. */

/** Parse "alphaα betaβ" into a map of names to symbols. @param {string} list */
const symbols = (list) =>
  new Map(
    list.split(/\s+/).map((entry) => {
      const at = entry.search(/[^a-zA-Z]/);
      return [entry.slice(0, at), entry.slice(at)];
    }),
  );

/** Identifiers, in italics. */
export const LETTERS = symbols(`alphaα betaβ gammaγ deltaδ epsilonϵ varepsilonε zetaζ etaη thetaθ varthetaϑ iotaι kappaκ lambdaλ muμ nuν xiξ
  piπ rhoρ varrhoϱ sigmaσ varsigmaς tauτ upsilonυ phiϕ varphiφ chiχ psiψ omegaω ellℓ partial∂`);

/** Identifiers that are always upright. */
export const UPRIGHT = symbols(`GammaΓ DeltaΔ ThetaΘ LambdaΛ XiΞ PiΠ SigmaΣ UpsilonΥ PhiΦ PsiΨ OmegaΩ infty∞ nabla∇ hbarℏ Reℜ Imℑ
  alephℵ emptyset∅ varnothing∅ angle∠ triangle△ degree° top⊤ bot⊥ prime′ dagger† ddagger‡
  forall∀ exists∃`);

/** Operators, relations and arrows. */
export const OPERATORS = symbols(`pm± mp∓ times× div÷ cdot⋅ ast∗ star⋆ circ∘ bullet∙ oplus⊕ ominus⊖ otimes⊗ oslash⊘ odot⊙ cap∩ cup∪ sqcap⊓ sqcup⊔ uplus⊎
  vee∨ lor∨ wedge∧ land∧ neg¬ lnot¬ setminus∖ diamond⋄ leq≤ le≤ geq≥ ge≥ leqslant⩽ geqslant⩾ lt< gt> neq≠ ne≠ equiv≡ approx≈
  sim∼ simeq≃ cong≅ doteq≐ propto∝ ll≪ gg≫ prec≺ succ≻ preceq⪯ succeq⪰ subset⊂ supset⊃ subseteq⊆ supseteq⊇ subsetneq⊊ supsetneq⊋
  in∈ notin∉ ni∋ vdash⊢ dashv⊣ models⊨ perp⟂ parallel∥ nparallel∦ mid∣ nmid∤ triangleq≜ coloneqq≔ gtrsim≳
  lesssim≲ to→ rightarrow→ longrightarrow⟶ leftarrow← gets← longleftarrow⟵ leftrightarrow↔ longleftrightarrow⟷
  Rightarrow⇒ Longrightarrow⟹ implies⟹ Leftarrow⇐ Longleftarrow⟸ impliedby⟸ Leftrightarrow⇔ Longleftrightarrow⟺ iff⟺ mapsto↦ longmapsto⟼ uparrow↑ downarrow↓
  updownarrow↕ Uparrow⇑ Downarrow⇓ nearrow↗ searrow↘ swarrow↙ nwarrow↖ hookrightarrow↪ hookleftarrow↩ rightharpoonup⇀
  rightleftharpoons⇌ leadsto⇝ ldots… dots… cdots⋯ dotsb⋯ vdots⋮ ddots⋱ colon: therefore∴ because∵ backslash\\`);

/** Operators whose scripts are placed above and below in display style. */
export const LARGE = symbols("sum∑ prod∏ coprod∐ bigcup⋃ bigcap⋂ bigvee⋁ bigwedge⋀ bigoplus⨁ bigotimes⨂ bigodot⨀");
export const INTEGRALS = symbols("int∫ iint∬ iiint∭ oint∮");

export const DELIMITERS = symbols(`langle⟨ rangle⟩ lfloor⌊ rfloor⌋ lceil⌈ rceil⌉ vert| lvert| rvert| Vert‖ lVert‖ rVert‖ lbrack[ rbrack] lbrace{ rbrace}`)
  .set("{", "{")
  .set("}", "}")
  .set("|", "‖");

export const ACCENTS = symbols("hat^ widehat^ bar¯ vec→ dot˙ ddot¨ tilde~ widetilde~ check\u02c7 breve\u02d8 acute´ grave` mathring\u02da overrightarrow→ overleftarrow← overbrace⏞");
export const UNDER = symbols("underbrace⏟");

export const LIMITS = new Set("lim max min sup inf det gcd Pr limsup liminf argmax argmin".split(" "));

/** Widths, in em. */
export const SPACES = new Map(
  Object.entries({ ",": 0.167, thinspace: 0.167, ":": 0.222, ">": 0.222, ";": 0.278, "!": -0.167, " ": 0.25, "~": 0.25, enspace: 0.5, quad: 1, qquad: 2 }),
);

/** Code points of A, a and 0 in each alphabet; and the letters that Unicode has elsewhere. */
const BOLD = [0x1d468, 0x1d482, 0x1d7ce];
const SCRIPT = [0x1d49c, 0x1d4b6, 0, "BℬEℰFℱHℋIℐLℒMℳRℛeℯgℊoℴ"];
const ALPHABETS = new Map(
  Object.entries({
    mathbf: [0x1d400, 0x1d41a, 0x1d7ce],
    boldsymbol: BOLD,
    bm: BOLD,
    mathbb: [0x1d538, 0x1d552, 0x1d7d8, "CℂHℍNℕPℙQℚRℝZℤ"],
    mathcal: SCRIPT,
    mathscr: SCRIPT,
    mathfrak: [0x1d504, 0x1d51e, 0, "CℭHℌIℑRℜZℨ"],
    mathsf: [0x1d5a0, 0x1d5ba, 0x1d7e2],
    mathtt: [0x1d670, 0x1d68a, 0x1d7f6],
  }),
);

/** @param {string} font */
export const isAlphabet = (font) => ALPHABETS.has(font);

/** Return a letter or digit in an alphabet, or unchanged if the alphabet lacks it. @param {string} letter @param {string} font */
export function styled(letter, font) {
  const [capital, small, digit, others = ""] = ALPHABETS.get(font) ?? [];
  const [, other] = String(others).match(`${letter}([^\x00-\x7f])`) ?? [];
  const [begin, first] = /[A-Z]/.test(letter) ? [capital, "A"] : /[a-z]/.test(letter) ? [small, "a"] : [/\d/.test(letter) && digit, "0"];
  return other ?? (begin ? String.fromCodePoint(Number(begin) + letter.charCodeAt(0) - first.charCodeAt(0)) : letter);
}
