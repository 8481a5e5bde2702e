// Parses queries with the grammars that Grafana's editors use. Standard input: [{"language", "query"}, ...] as JSON; standard
// output: for each query that has an error node, {"query", "at", "text"}. The packages stand in the folder it is run in.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "here.js"));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)).href)).parser;
const parsers = {
  TraceQL: await load("@grafana/lezer-traceql"),
  LogQL: await load("@grafana/lezer-logql"),
  PromQL: await load("@prometheus-io/lezer-promql"),
};

const wrong = [];
for (const { language, query } of JSON.parse(readFileSync(0, "utf8"))) {
  let at = -1;
  parsers[language].parse(query).iterate({
    enter(node) {
      if (node.type.isError && at < 0) at = node.from;
    },
  });
  if (at >= 0) wrong.push({ language, query, at, text: query.slice(at, at + 40) });
}
console.log(JSON.stringify(wrong));
