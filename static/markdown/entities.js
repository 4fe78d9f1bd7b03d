/**
 * HTML's 2,125 named character references. `python -m tests.markdown.entities` writes the table. It is a third as large as
 * the parser: a page loads it when an answer contains an entity that is not among the common ones.
 */

// SINGLE: the gap to the previous code point, then the names of the character. DOUBLE: two characters, then their name.
// ACCENTED: the name of an accent, the combining character, the letters it is combined with.
const SINGLE = `8 Tab, NewLine,22 excl, QUOT quot, num, dollar, percnt, AMP amp, apos, lpar, rpar, ast midast, plus, comma,1 period,\
 sol,10 colon, semi, LT lt, equals, GT gt, quest, commat,26 lbrack lsqb, bsol, rbrack rsqb, Hat, UnderBar lowbar, Di\
acriticalGrave grave,26 lbrace lcub, VerticalLine verbar vert, rbrace rcub,34 NonBreakingSpace nbsp, iexcl, cent, po\
und, curren, yen, brvbar, sect, Dot DoubleDot die uml, COPY copy, ordf, laquo, not, shy, REG circledR reg, macr strn\
s, deg, PlusMinus plusmn pm, sup2, sup3, DiacriticalAcute acute, micro, para, CenterDot centerdot middot, Cedilla ce\
dil, sup1, ordm, raquo, frac14, frac12 half, frac34, iquest,5 Aring angst, AElig,9 ETH,6 times, Oslash,5 THORN, szli\
g,5 aring, aelig,9 eth,6 div divide, oslash,5 thorn,17 Dstrok, dstrok,20 Hstrok, hstrok,9 imath inodot, IJlig, ijlig\
,4 kgreen,6 Lmidot, lmidot, Lstrok, lstrok,6 napos, ENG, eng,6 OElig, oelig,18 Tstrok, tstrok,6 Uring, uring,34 fnof\
,34 imped,129 jmath,142 circ, Hacek caron,16 Breve breve, DiacriticalDot dot, ring, ogon, DiacriticalTilde tilde, Di\
acriticalDoubleAcute dblac,51 DownBreve,127 Alpha, Beta, Gamma, Delta, Epsilon, Zeta, Eta, Theta, Iota, Kappa, Lambd\
a, Mu, Nu, Xi, Omicron, Pi, Rho,1 Sigma, Tau, Upsilon, Phi, Chi, Psi, Omega ohm,7 alpha, beta, gamma, delta, epsi ep\
silon, zeta, eta, theta, iota, kappa, lambda, mu, nu, xi, omicron, pi, rho, sigmaf sigmav varsigma, sigma, tau, upsi\
 upsilon, phi, chi, psi, omega,7 thetasym thetav vartheta, Upsi upsih,2 phiv straightphi varphi, piv varpi,5 Gammad,\
 digamma gammad,18 kappav varkappa, rhov varrho,3 epsiv straightepsilon varepsilon, backepsilon bepsi,10 IOcy, DJcy,\
 GJcy, Jukcy, DScy, Iukcy, YIcy, Jsercy, LJcy, NJcy, TSHcy, KJcy,1 Ubrcy, DZcy, Acy, Bcy, Vcy, Gcy, Dcy, IEcy, ZHcy,\
 Zcy, Icy, Jcy, Kcy, Lcy, Mcy, Ncy, Ocy, Pcy, Rcy, Scy, Tcy, Ucy, Fcy, KHcy, TScy, CHcy, SHcy, SHCHcy, HARDcy, Ycy, \
SOFTcy, Ecy, YUcy, YAcy, acy, bcy, vcy, gcy, dcy, iecy, zhcy, zcy, icy, jcy, kcy, lcy, mcy, ncy, ocy, pcy, rcy, scy,\
 tcy, ucy, fcy, khcy, tscy, chcy, shcy, shchcy, hardcy, ycy, softcy, ecy, yucy, yacy,1 iocy, djcy, gjcy, jukcy, dscy\
, iukcy, yicy, jsercy, ljcy, njcy, tshcy, kjcy,1 ubrcy, dzcy,7074 ensp, emsp, emsp13, emsp14,1 numsp, puncsp, ThinSp\
ace thinsp, VeryThinSpace hairsp, NegativeMediumSpace NegativeThickSpace NegativeThinSpace NegativeVeryThinSpace Zer\
oWidthSpace, zwnj, zwj, lrm, rlm, dash hyphen,2 ndash, mdash, horbar, Verbar Vert,1 OpenCurlyQuote lsquo, CloseCurly\
Quote rsquo rsquor, lsquor sbquo,1 OpenCurlyDoubleQuote ldquo, CloseCurlyDoubleQuote rdquo rdquor, bdquo ldquor,1 da\
gger, Dagger ddagger, bull bullet,2 nldr, hellip mldr,9 permil, pertenk, prime, Prime, tprime, backprime bprime,3 ls\
aquo, rsaquo,3 OverBar oline,2 caret,1 hybull, frasl,10 bsemi,7 qprime,7 MediumSpace, NoBreak, ApplyFunction af, Inv\
isibleTimes it, InvisibleComma ic,72 euro,46 TripleDot tdot, DotDot,37 complexes,2 incare,5 HilbertSpace hamilt, Poi\
ncareplane, quaternions, planckh, hbar hslash planck plankv, imagline, Im image imagpart, Laplacetrf lagran, ell,1 n\
aturals, numero, copysr, weierp wp, primes, rationals, realine, Re real realpart, reals, rx,3 TRADE trade,1 integers\
,2 mho, zeetrf, iiota,2 Bernoullis bernou, Cayleys,2 expectation, Fouriertrf,1 Mellintrf phmmat, order orderof, alef\
sym aleph, beth, gimel, daleth,12 CapitalDifferentialD DD, DifferentialD dd, ExponentialE ee exponentiale, Imaginary\
I ii,10 frac13, frac23, frac15, frac25, frac35, frac45, frac16, frac56, frac18, frac38, frac58, frac78,49 LeftArrow \
ShortLeftArrow larr leftarrow slarr, ShortUpArrow UpArrow uarr uparrow, RightArrow ShortRightArrow rarr rightarrow s\
rarr, DownArrow ShortDownArrow darr downarrow, LeftRightArrow harr leftrightarrow, UpDownArrow updownarrow varr, Upp\
erLeftArrow nwarr nwarrow, UpperRightArrow nearr nearrow, LowerRightArrow searr searrow, LowerLeftArrow swarr swarro\
w, nlarr nleftarrow, nrarr nrightarrow,1 rarrw rightsquigarrow, Larr twoheadleftarrow, Uarr, Rarr twoheadrightarrow,\
 Darr, larrtl leftarrowtail, rarrtl rightarrowtail, LeftTeeArrow mapstoleft, UpTeeArrow mapstoup, RightTeeArrow map \
mapsto, DownTeeArrow mapstodown,1 hookleftarrow larrhk, hookrightarrow rarrhk, larrlp looparrowleft, looparrowright \
rarrlp, harrw leftrightsquigarrow, nharr nleftrightarrow,1 Lsh lsh, Rsh rsh, ldsh, rdsh,1 crarr, cularr curvearrowle\
ft, curarr curvearrowright,2 circlearrowleft olarr, circlearrowright orarr, LeftVector leftharpoonup lharu, DownLeft\
Vector leftharpoondown lhard, RightUpVector uharr upharpoonright, LeftUpVector uharl upharpoonleft, RightVector rhar\
u rightharpoonup, DownRightVector rhard rightharpoondown, RightDownVector dharr downharpoonright, LeftDownVector dha\
rl downharpoonleft, RightArrowLeftArrow rightleftarrows rlarr, UpArrowDownArrow udarr, LeftArrowRightArrow leftright\
arrows lrarr, leftleftarrows llarr, upuparrows uuarr, rightrightarrows rrarr, ddarr downdownarrows, ReverseEquilibri\
um leftrightharpoons lrhar, Equilibrium rightleftharpoons rlhar, nLeftarrow nlArr, nLeftrightarrow nhArr, nRightarro\
w nrArr, DoubleLeftArrow Leftarrow lArr, DoubleUpArrow Uparrow uArr, DoubleRightArrow Implies Rightarrow rArr, Doubl\
eDownArrow Downarrow dArr, DoubleLeftRightArrow Leftrightarrow hArr iff, DoubleUpDownArrow Updownarrow vArr, nwArr, \
neArr, seArr, swArr, Lleftarrow lAarr, Rrightarrow rAarr,1 zigrarr,6 LeftArrowBar larrb, RightArrowBar rarrb,15 Down\
ArrowUpArrow duarr,7 loarr, roarr, hoarr, ForAll forall, comp complement, PartialD part, Exists exist, NotExists nex\
ist nexists, empty emptyset emptyv varnothing,1 Del nabla, Element in isin isinv, NotElement notin notinva,1 Reverse\
Element SuchThat ni niv, NotReverseElement notni notniva,2 Product prod, Coproduct coprod, Sum sum, minus, MinusPlus\
 mnplus mp, dotplus plusdo,1 Backslash setminus setmn smallsetminus ssetmn, lowast, SmallCircle compfn,1 Sqrt radic,\
2 Proportional prop propto varpropto vprop, infin, angrt, ang angle, angmsd measuredangle, angsph, VerticalBar mid s\
hortmid smid, NotVerticalBar nmid nshortmid nsmid, DoubleVerticalBar par parallel shortparallel spar, NotDoubleVerti\
calBar npar nparallel nshortparallel nspar, and wedge, or vee, cap, cup, Integral int, Int, iiint tint, ContourInteg\
ral conint oint, Conint DoubleContourIntegral, Cconint, cwint, ClockwiseContourIntegral cwconint, CounterClockwiseCo\
ntourIntegral awconint, Therefore there4 therefore, Because becaus because, ratio, Colon Proportion, dotminus minusd\
,1 mDDot, homtht, Tilde sim thicksim thksim, backsim bsim, ac mstpos, acd, VerticalTilde wr wreath, NotTilde nsim, E\
qualTilde eqsim esim, TildeEqual sime simeq, NotTildeEqual nsime nsimeq, TildeFullEqual cong, simne, NotTildeFullEqu\
al ncong, TildeTilde ap approx asymp thickapprox thkap, NotTildeTilde nap napprox, ape approxeq, apid, backcong bcon\
g, CupCap asympeq, Bumpeq HumpDownHump bump, HumpEqual bumpe bumpeq, DotEqual doteq esdot, doteqdot eDot, efDot fall\
ingdotseq, erDot risingdotseq, Assign colone coloneq, ecolon eqcolon, ecir eqcirc, circeq cire,1 wedgeq, veeeq,1 tri\
angleq trie,2 equest questeq, NotEqual ne, Congruent equiv, NotCongruent nequiv,1 le leq, GreaterEqual ge geq, LessF\
ullEqual lE leqq, GreaterFullEqual gE geqq, lnE lneqq, gnE gneqq, Lt NestedLessLess ll, Gt NestedGreaterGreater gg, \
between twixt, NotCupCap, NotLess nless nlt, NotGreater ngt ngtr, NotLessEqual nle nleq, NotGreaterEqual nge ngeq, L\
essTilde lesssim lsim, GreaterTilde gsim gtrsim, NotLessTilde nlsim, NotGreaterTilde ngsim, LessGreater lessgtr lg, \
GreaterLess gl gtrless, NotLessGreater ntlg, NotGreaterLess ntgl, Precedes pr prec, Succeeds sc succ, PrecedesSlantE\
qual prcue preccurlyeq, SucceedsSlantEqual sccue succcurlyeq, PrecedesTilde precsim prsim, SucceedsTilde scsim succs\
im, NotPrecedes npr nprec, NotSucceeds nsc nsucc, sub subset, Superset sup supset, nsub, nsup, SubsetEqual sube subs\
eteq, SupersetEqual supe supseteq, NotSubsetEqual nsube nsubseteq, NotSupersetEqual nsupe nsupseteq, subne subsetneq\
, supne supsetneq,1 cupdot, UnionPlus uplus, SquareSubset sqsub sqsubset, SquareSuperset sqsup sqsupset, SquareSubse\
tEqual sqsube sqsubseteq, SquareSupersetEqual sqsupe sqsupseteq, SquareIntersection sqcap, SquareUnion sqcup, Circle\
Plus oplus, CircleMinus ominus, CircleTimes otimes, osol, CircleDot odot, circledcirc ocir, circledast oast,1 circle\
ddash odash, boxplus plusb, boxminus minusb, boxtimes timesb, dotsquare sdotb, RightTee vdash, LeftTee dashv, DownTe\
e top, UpTee bot bottom perp,1 models, DoubleRightTee vDash, Vdash, Vvdash, VDash, nvdash, nvDash, nVdash, nVDash, p\
rurel,1 LeftTriangle vartriangleleft vltri, RightTriangle vartriangleright vrtri, LeftTriangleEqual ltrie trianglele\
fteq, RightTriangleEqual rtrie trianglerighteq, origof, imof, multimap mumap, hercon, intcal intercal, veebar,1 barv\
ee, angrtvb, lrtri, Wedge bigwedge xwedge, Vee bigvee xvee, Intersection bigcap xcap, Union bigcup xcup, Diamond dia\
m diamond, sdot, Star sstarf, divideontimes divonx, bowtie, ltimes, rtimes, leftthreetimes lthree, rightthreetimes r\
three, backsimeq bsime, curlyvee cuvee, curlywedge cuwed, Sub Subset, Sup Supset, Cap, Cup, fork pitchfork, epar, le\
ssdot ltdot, gtdot gtrdot, Ll, Gg ggg, LessEqualGreater leg lesseqgtr, GreaterEqualLess gel gtreqless,2 cuepr curlye\
qprec, cuesc curlyeqsucc, NotPrecedesSlantEqual nprcue, NotSucceedsSlantEqual nsccue, NotSquareSubsetEqual nsqsube, \
NotSquareSupersetEqual nsqsupe,2 lnsim, gnsim, precnsim prnsim, scnsim succnsim, NotLeftTriangle nltri ntriangleleft\
, NotRightTriangle nrtri ntriangleright, NotLeftTriangleEqual nltrie ntrianglelefteq, NotRightTriangleEqual nrtrie n\
trianglerighteq, vellip, ctdot, utdot, dtdot, disin, isinsv, isins, isindot, notinvc, notinvb,1 isinE, nisd, xnis, n\
is, notnivc, notnivb,6 barwed barwedge, Barwed doublebarwedge,1 LeftCeiling lceil, RightCeiling rceil, LeftFloor lfl\
oor, RightFloor rfloor, drcrop, dlcrop, urcrop, ulcrop, bnot,1 profline, profsurf,1 telrec, target,5 ulcorn ulcorner\
, urcorn urcorner, dlcorn llcorner, drcorn lrcorner,2 frown sfrown, smile ssmile,9 cylcty, profalar,7 topbot,6 ovbar\
,1 solbar,60 angzarr,51 lmoust lmoustache, rmoust rmoustache,2 OverBracket tbrk, UnderBracket bbrk, bbrktbrk,37 Over\
Parenthesis, UnderParenthesis, OverBrace, UnderBrace,2 trpezium,4 elinters,59 blank,164 circledS oS,55 HorizontalLin\
e boxh,1 boxv,9 boxdr,3 boxdl,3 boxur,3 boxul,3 boxvr,7 boxvl,7 boxhd,7 boxhu,7 boxvh,19 boxH, boxV, boxdR, boxDr, b\
oxDR, boxdL, boxDl, boxDL, boxuR, boxUr, boxUR, boxuL, boxUl, boxUL, boxvR, boxVr, boxVR, boxvL, boxVl, boxVL, boxHd\
, boxhD, boxHD, boxHu, boxhU, boxHU, boxvH, boxVh, boxVH,19 uhblk,3 lhblk,3 block,8 blk14, blk12, blk34,13 Square sq\
u square,8 FilledVerySmallSquare blacksquare squarf squf, EmptyVerySmallSquare,1 rect, marker,2 fltns,1 bigtriangleu\
p xutri, blacktriangle utrif, triangle utri,2 blacktriangleright rtrif, rtri triangleright,3 bigtriangledown xdtri, \
blacktriangledown dtrif, dtri triangledown,2 blacktriangleleft ltrif, ltri triangleleft,6 loz lozenge, cir,32 tridot\
,2 bigcirc xcirc,8 ultri, urtri, lltri, EmptySmallSquare, FilledSmallSquare,8 bigstar starf, star,7 phone,49 female,\
1 male,29 spades spadesuit,2 clubs clubsuit,1 hearts heartsuit, diamondsuit diams,3 sung,2 flat, natur natural, shar\
p,163 check checkmark,3 cross,8 malt maltese,21 sext,33 VerticalSeparator,25 lbbrk, rbbrk,84 bsolhsub, suphsol,28 Le\
ftDoubleBracket lobrk, RightDoubleBracket robrk, LeftAngleBracket lang langle, RightAngleBracket rang rangle, Lang, \
Rang, loang, roang,7 LongLeftArrow longleftarrow xlarr, LongRightArrow longrightarrow xrarr, LongLeftRightArrow long\
leftrightarrow xharr, DoubleLongLeftArrow Longleftarrow xlArr, DoubleLongRightArrow Longrightarrow xrArr, DoubleLong\
LeftRightArrow Longleftrightarrow xhArr,1 longmapsto xmap,2 dzigrarr,258 nvlArr, nvrArr, nvHarr, Map,6 lbarr, bkarow\
 rbarr, lBarr, dbkarow rBarr, RBarr drbkarow, DDotrahd, UpArrowBar, DownArrowBar,2 Rarrtl,2 latail, ratail, lAtail, \
rAtail, larrfs, rarrfs, larrbfs, rarrbfs,2 nwarhk, nearhk, hksearow searhk, hkswarow swarhk, nwnear, nesear toea, se\
swar tosa, swnwar,8 rarrc,1 cudarrr, ldca, rdca, cudarrl, larrpl,2 curarrm, cularrp,7 rarrpl,2 harrcir, Uarrocir, lu\
rdshar, ldrushar,2 LeftRightVector, RightUpDownVector, DownLeftRightVector, LeftUpDownVector, LeftVectorBar, RightVe\
ctorBar, RightUpVectorBar, RightDownVectorBar, DownLeftVectorBar, DownRightVectorBar, LeftUpVectorBar, LeftDownVecto\
rBar, LeftTeeVector, RightTeeVector, RightUpTeeVector, RightDownTeeVector, DownLeftTeeVector, DownRightTeeVector, Le\
ftUpTeeVector, LeftDownTeeVector, lHar, uHar, rHar, dHar, luruhar, ldrdhar, ruluhar, rdldhar, lharul, llhard, rharul\
, lrhard, UpEquilibrium udhar, ReverseUpEquilibrium duhar, RoundImplies, erarr, simrarr, larrsim, rarrsim, rarrap, l\
tlarr,1 gtrarr, subrarr,1 suplarr, lfisht, rfisht, ufisht, dfisht,5 lopar, ropar,4 lbrke, rbrke, lbrkslu, rbrksld, l\
brksld, rbrkslu, langd, rangd, lparlt, rpargt, gtlPar, ltrPar,3 vzigzag,1 vangrt, angrtvbd,6 ange, range, dwangle, u\
wangle, angmsdaa, angmsdab, angmsdac, angmsdad, angmsdae, angmsdaf, angmsdag, angmsdah, bemptyv, demptyv, cemptyv, r\
aemptyv, laemptyv, ohbar, omid, opar,1 operp,1 olcross, odsold,1 olcir, ofcir, olt, ogt, cirscir, cirE, solb, bsolb,\
3 boxbox,3 trisb, rtriltri, LeftTriangleBar, RightTriangleBar,11 iinfin, infintie, nvinfin,4 eparsl, smeparsl, eqvpa\
rsl,5 blacklozenge lozf,8 RuleDelayed,1 dsol,9 bigodot xodot, bigoplus xoplus, bigotimes xotime,1 biguplus xuplus,1 \
bigsqcup xsqcup,5 iiiint qint, fpartint,2 cirfnint, awint, rppolint, scpolint, npolint, pointint, quatint, intlarhk,\
10 pluscir, plusacir, simplus, plusdu, plussim, plustwo,1 mcomma, minusdu,2 loplus, roplus, Cross, timesd, timesbar,\
1 smashp, lotimes, rotimes, otimesas, Otimes, odiv, triplus, triminus, tritime, intprod iprod,2 amalg, capdot,1 ncup\
, ncap, capand, cupor, cupcap, capcup, cupbrcap, capbrcup, cupcup, capcap, ccups, ccaps,2 ccupssm,2 And, Or, andand,\
 oror, orslope, andslope,1 andv, orv, andd, ord,1 wedbar,6 sdote,3 simdot,2 congdot, easter, apacir, apE, eplus, plu\
se, Esim, Colone, Equal,1 ddotseq eDDot, equivDD, ltcir, gtcir, ltquest, gtquest, LessSlantEqual leqslant les, Great\
erSlantEqual geqslant ges, lesdot, gesdot, lesdoto, gesdoto, lesdotor, gesdotol, lap lessapprox, gap gtrapprox, lne \
lneq, gne gneq, lnap lnapprox, gnap gnapprox, lEg lesseqqgtr, gEl gtreqqless, lsime, gsime, lsimg, gsiml, lgE, glE, \
lesges, gesles, els eqslantless, egs eqslantgtr, elsdot, egsdot, el, eg,2 siml, simg, simlE, simgE, LessLess, Greate\
rGreater,1 glj, gla, ltcc, gtcc, lescc, gescc, smt, lat, smte, late, bumpE, PrecedesEqual pre preceq, SucceedsEqual \
sce succeq,2 prE, scE, precneqq prnE, scnE succneqq, prap precapprox, scap succapprox, precnapprox prnap, scnap succ\
napprox, Pr, Sc, subdot, supdot, subplus, supplus, submult, supmult, subedot, supedot, subE subseteqq, supE supseteq\
q, subsim, supsim,2 subnE subsetneqq, supnE supsetneqq,2 csub, csup, csube, csupe, subsup, supsub, subsub, supsup, s\
uphsub, supdsub, forkv, topfork, mlcp,8 Dashv DoubleLeftTee,1 Vdashl, Barv, vBar, vBarv,1 Vbar, Not, bNot, rnmid, ci\
rmid, midcir, topcir, nhpar, parsim,9 parsl,53250 fflig, filig, fllig, ffilig, ffllig`;
const DOUBLE = `<\u20d2nvlt =\u20e5bne >\u20d2nvgt fjfjlig \u205f\u200aThickSpace \u219d\u0338nrarrw \u2202\u0338npart \u2220\u20d2n\
ang \u2229\ufe00caps \u222a\ufe00cups \u223c\u20d2nvsim \u223d\u0331race \u223e\u0333acE \u2242\u0338nesim \u2242\
\u0338NotEqualTilde \u224b\u0338napid \u224d\u20d2nvap \u224e\u0338nbump \u224e\u0338NotHumpDownHump \u224f\u0338nbu\
mpe \u224f\u0338NotHumpEqual \u2250\u0338nedot \u2261\u20e5bnequiv \u2264\u20d2nvle \u2265\u20d2nvge \u2266\u0338nlE\
 \u2266\u0338nleqq \u2267\u0338ngE \u2267\u0338ngeqq \u2267\u0338NotGreaterFullEqual \u2268\ufe00lvertneqq \u2268\
\ufe00lvnE \u2269\ufe00gvertneqq \u2269\ufe00gvnE \u226a\u0338nLtv \u226a\u0338NotLessLess \u226a\u20d2nLt \u226b\
\u0338nGtv \u226b\u0338NotGreaterGreater \u226b\u20d2nGt \u227f\u0338NotSucceedsTilde \u2282\u20d2NotSubset \u2282\
\u20d2nsubset \u2282\u20d2vnsub \u2283\u20d2NotSuperset \u2283\u20d2nsupset \u2283\u20d2vnsup \u228a\ufe00varsubsetn\
eq \u228a\ufe00vsubne \u228b\ufe00varsupsetneq \u228b\ufe00vsupne \u228f\u0338NotSquareSubset \u2290\u0338NotSquareS\
uperset \u2293\ufe00sqcaps \u2294\ufe00sqcups \u22b4\u20d2nvltrie \u22b5\u20d2nvrtrie \u22d8\u0338nLl \u22d9\u0338nG\
g \u22da\ufe00lesg \u22db\ufe00gesl \u22f5\u0338notindot \u22f9\u0338notinE \u2933\u0338nrarrc \u29cf\u0338NotLeftTr\
iangleBar \u29d0\u0338NotRightTriangleBar \u2a6d\u0338ncongdot \u2a70\u0338napE \u2a7d\u0338nleqslant \u2a7d\u0338nl\
es \u2a7d\u0338NotLessSlantEqual \u2a7e\u0338ngeqslant \u2a7e\u0338nges \u2a7e\u0338NotGreaterSlantEqual \u2aa1\
\u0338NotNestedLessLess \u2aa2\u0338NotNestedGreaterGreater \u2aac\ufe00smtes \u2aad\ufe00lates \u2aaf\u0338NotPrece\
desEqual \u2aaf\u0338npre \u2aaf\u0338npreceq \u2ab0\u0338NotSucceedsEqual \u2ab0\u0338nsce \u2ab0\u0338nsucceq \
\u2ac5\u0338nsubE \u2ac5\u0338nsubseteqq \u2ac6\u0338nsupE \u2ac6\u0338nsupseteqq \u2acb\ufe00varsubsetneqq \u2acb\
\ufe00vsubnE \u2acc\ufe00varsupsetneqq \u2acc\ufe00vsupnE \u2afd\u20e5nparsl`;
const ACCENTED = `acute\u0301ACEILNORSUYZacegilnorsuyz breve\u0306AGUagu caron\u030cCDELNRSTZcdelnrstz cedil\u0327CGKLNRSTcklnrst circ\
\u0302ACEGHIJOSUWYaceghijosuwy dblac\u030bOUou dot\u0307CEGIZcegz grave\u0300AEIOUaeiou macr\u0304AEIOUaeiou ogon\
\u0328AEIUaeiu tilde\u0303AINOUainou uml\u0308AEIOUYaeiouy`;
// end of the table
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The code point of each mathematical alphabet's A, and the letters that Unicode has elsewhere. */
const ALPHABETS = /** @type {[string, number, string][]} */ ([
  ["fr", 0x1d504, "C\u212dH\u210cI\u2111R\u211cZ\u2128"],
  ["opf", 0x1d538, "C\u2102H\u210dN\u2115P\u2119Q\u211aR\u211dZ\u2124"],
  ["scr", 0x1d49c, "B\u212cE\u2130F\u2131H\u210bI\u2110L\u2112M\u2133R\u211be\u212fg\u210ao\u2134"],
]);

/**
 * Unpack the table of entities.
 * @returns {Map<string, string>} characters by name, without `&` and `;`
 */
export function entityNames() {
  /** @type {Map<string, string>} */
  const all = new Map();
  let code = 0;
  for (const entry of SINGLE.split(",")) {
    const [gap, ...own] = entry.split(" ");
    code += Number(gap) + 1;
    for (const name of own) all.set(name, String.fromCharCode(code));
  }
  for (const entry of DOUBLE.split(" ")) all.set(entry.slice(2), entry.slice(0, 2));
  for (const entry of ACCENTED.split(" ")) {
    const [name = "", accent = "", letters = ""] = entry.split(/([\u0300-\u036f])/);
    for (const letter of letters) all.set(letter + name, (letter + accent).normalize());
  }
  for (const [name, start, elsewhere] of ALPHABETS) {
    [...LETTERS].forEach((letter, index) => all.set(letter + name, String.fromCodePoint(start + index)));
    for (let at = 0; at < elsewhere.length; at += 2) all.set(elsewhere.charAt(at) + name, elsewhere.charAt(at + 1));
  }
  return all;
}
