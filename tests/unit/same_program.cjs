// Compares programs without their comments, white space and places: node same_program.cjs <typescript> <pairs>
// The pairs are JSON on standard input, [name, one, other]; printed are the names of those that differ. What a program
// imports and gives is left out, and so is in which folder something stands that is loaded later.
const ts = require(process.argv[2]);

/** @param {string} source */
function skeleton(source) {
  const file = ts.createSourceFile("a.js", source, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  if (file.parseDiagnostics.length > 0) return null;
  const found = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || node.kind === ts.SyntaxKind.ExportKeyword) return;
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push(`import ${node.arguments[0].text.split("/").at(-1)}`);
      return;
    }
    found.push(node.kind, node.text ?? "", node.rawText ?? "", node.flags & ts.NodeFlags.BlockScoped);
    ts.forEachChild(node, visit);
    found.push("/");
  };
  ts.forEachChild(file, visit);
  return JSON.stringify(found);
}

const pairs = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(pairs.filter(([, one, other]) => skeleton(other) === null || skeleton(one) !== skeleton(other)).map(([name]) => name)));
