// Compares programs without their comments, white space and places: node same_program.cjs <typescript> <pairs>
// The pairs are JSON on standard input, [name, one, other]; printed are the names of those that differ.
const ts = require(process.argv[2]);

/** @param {string} source */
function skeleton(source) {
  const file = ts.createSourceFile("a.js", source, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  if (file.parseDiagnostics.length > 0) return null;
  const found = [];
  const visit = (node) => {
    found.push(node.kind, node.text ?? "", node.rawText ?? "", node.flags & ts.NodeFlags.BlockScoped);
    ts.forEachChild(node, visit);
    found.push("/");
  };
  ts.forEachChild(file, visit);
  return JSON.stringify(found);
}

const pairs = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(pairs.filter(([, one, other]) => skeleton(other) === null || skeleton(one) !== skeleton(other)).map(([name]) => name)));
