// An MCP client that is told what to do by lines of JSON, on the npm package `@modelcontextprotocol/client`. The lines
// are those of client.py; this one speaks both revisions of the protocol, and the earlier one where the first line
// says so: {"mode": "legacy"}.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The package is installed beside the node that runs this.
const installed = createRequire(process.execPath);
const { Client, StreamableHTTPClientTransport } = installed("@modelcontextprotocol/client");
const { StdioClientTransport } = installed("@modelcontextprotocol/client/stdio");

// Longest wait for one answer, in milliseconds.
const PATIENCE = 90_000;

// What the package only warns of, such as a schema that says what nobody knows, is an error here.
console.warn = (...words) => {
  throw new Error(words.join(" "));
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const told = ({ progress, message }) => say({ progress, message });

function transport(where) {
  if ("command" in where) {
    const [command, ...args] = where.command;
    return new StdioClientTransport({ command, args, env: where.env });
  }
  const headers = where.token ? { Authorization: `Bearer ${where.token}` } : {};
  return new StreamableHTTPClientTransport(new URL(where.url), { requestInit: { headers } });
}

async function connected(where) {
  // A limit of the package: it takes no task for an answer, so that the extension for long work is out of its reach.
  if (where.tasks) throw new Error("this client knows nothing of tasks");
  const capabilities = "form" in where ? { elicitation: { form: {} } } : {};
  const versionNegotiation = { mode: where.mode ?? "auto" };
  const client = new Client({ name: "client.mjs", version: "1" }, { capabilities, versionNegotiation });
  if ("form" in where) {
    client.setRequestHandler("elicitation/create", ({ params }) => {
      say({ asked: params });
      return where.form ? { action: "accept", content: where.form } : { action: "decline" };
    });
  }
  await client.connect(transport(where), { timeout: PATIENCE });
  return client;
}

function reference({ prompt, template }) {
  return prompt === undefined ? { type: "ref/resource", uri: template } : { type: "ref/prompt", name: prompt };
}

// What each thing to do is, given the client, the line and the options of its request.
const deeds = {
  list_tools: (client, _wanted, options) => client.listTools(undefined, options),
  async call(client, { name, arguments: given = {}, progress }, options) {
    // A result is only checked against the schema of a tool that was listed.
    tools ??= await client.listTools(undefined, options);
    return client.callTool({ name, arguments: given }, progress ? { ...options, onprogress: told } : options);
  },
  // All pages: it turns them by itself.
  list_resources: (client, _wanted, options) => client.listResources(undefined, options),
  templates: (client, _wanted, options) => client.listResourceTemplates(undefined, options),
  read: (client, { uri }, options) => client.readResource({ uri }, options),
  list_prompts: (client, _wanted, options) => client.listPrompts(undefined, options),
  prompt: (client, { name, arguments: given = {} }, options) => client.getPrompt({ name, arguments: given }, options),
  complete: (client, { name, value, ...of }, options) =>
    client.complete({ ref: reference(of), argument: { name, value } }, options),
};

let client, tools;
for await (const line of createInterface({ input: process.stdin })) {
  const wanted = JSON.parse(line);
  if (client === undefined) {
    client = await connected(wanted);
    say({ ok: client.getNegotiatedProtocolVersion() });
    continue;
  }
  try {
    say({ ok: await deeds[wanted.do](client, wanted, { timeout: PATIENCE }) });
  } catch (error) {
    say({ error: { code: error.code ?? null, message: error.message } });
  }
}
await client?.close();
