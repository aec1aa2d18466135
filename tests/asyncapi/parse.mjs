// node parse.mjs FILE: says what the AsyncAPI parser has against a document, and exits with 1 if that is an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
for (const { severity, message, path } of diagnostics) {
  if (severity <= 1) console.log(severity === 0 ? "error" : "warning", path.join("."), message);
}
process.exitCode = document && diagnostics.every(({ severity }) => severity > 0) ? 0 : 1;
