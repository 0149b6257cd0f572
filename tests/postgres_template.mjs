// Makes the database that the tests' databases are copied from. Usage: node tests/postgres_template.mjs NAME
import { makeTemplate } from "./api/harness.mjs";

await makeTemplate(process.argv[2]);
