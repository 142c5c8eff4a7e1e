#!/usr/bin/env node
// graphql.mjs PACKAGES SCHEMA: holds GraphQL requests against a schema.
//
// Reads a JSON list of requests `{ "query", "variables" }` from standard input and prints a JSON list of the same length:
// what is wrong with each, as a list of texts. Looked at are the query as a whole, without anything deprecated, and the
// variables' values. PACKAGES is the folder where package.json was installed.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [packages, schemaFile] = process.argv.slice(2);
const require = createRequire(join(resolve(packages), "package.json"));
const { buildSchema, getVariableValues, Kind, NoDeprecatedCustomRule, parse, specifiedRules, validate } = require("graphql");

// What is deprecated is refused too: it goes with one of the next versions.
const rules = [...specifiedRules, NoDeprecatedCustomRule];
const schema = buildSchema(readFileSync(schemaFile, "utf8"), { assumeValid: true });

function wrong({ query, variables }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return [error.message];
  }
  const errors = validate(schema, document, rules).map((error) => `${error.message} (line ${error.locations?.[0]?.line})`);
  if (errors.length > 0) return errors;
  const operations = document.definitions.filter((it) => it.kind === Kind.OPERATION_DEFINITION);
  if (operations.length !== 1) return [`${operations.length} operations in one request`];
  const declared = operations[0].variableDefinitions ?? [];
  const names = new Set(declared.map((it) => it.variable.name.value));
  const unknown = Object.keys(variables ?? {}).filter((name) => !names.has(name));
  const coerced = getVariableValues(schema, declared, variables ?? {});
  return [
    ...unknown.map((name) => `the query has no variable $${name}`),
    ...(coerced.errors ?? []).map((error) => error.message),
  ];
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(wrong)));
