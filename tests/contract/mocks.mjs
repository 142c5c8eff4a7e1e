#!/usr/bin/env node
// mocks.mjs PACKAGES SPECS NAME...: a mock of each vendor description NAME in the folder SPECS, all in this one process.
//
// A mock checks every request against its description: one that breaks it gets a 4xx that says how, in the header
// `sl-violations` or in the answer's `validation`. PACKAGES is the folder where package.json was installed. Prints a line
// `NAME ADDRESS` for each mock and then `ready`; ends when its standard input does, so it never outlives who started it.
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const [packages, specs, ...names] = process.argv.slice(2);
const require = createRequire(join(resolve(packages), "package.json"));
const { createLogger } = require("@stoplight/prism-core");
const { getHttpOperationsFromSpec } = require("@stoplight/prism-http");
const { createServer } = require("@stoplight/prism-http-server");

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));

const logger = createLogger("mocks", { level: "silent" });
const config = {
  isProxy: false,
  validateRequest: true,
  validateResponse: true,
  checkSecurity: true,
  errors: true,
  upstreamProxy: undefined,
  mock: { dynamic: false },
};
for (const name of names) {
  const operations = await getHttpOperationsFromSpec(resolve(specs, name));
  if (operations.length === 0) throw new Error(`${name} describes no operation`);
  const server = createServer(operations, { cors: false, config, components: { logger } });
  console.log(`${name} ${await server.listen(0, "127.0.0.1")}`);
}
console.log("ready");
