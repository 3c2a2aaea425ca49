"use strict";
// Renders /openapi.json. The token stays in this page's memory and is gone with it.
const said = document.getElementById("said");
const main = document.getElementById("operations");

function make(name, text, ...children) {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...children.filter(Boolean));
  return node;
}

function resolved(api, part) {
  if (!part || !part.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((at, name) => at && at[name.replace(/~1/g, "/").replace(/~0/g, "~")], api);
}

// A type in a few words; `deep` bounds how far references are followed.
function shape(api, schema, deep = 0) {
  const at = resolved(api, schema) || {};
  if (at.const !== undefined) return JSON.stringify(at.const);
  if (at.enum) return at.enum.map((value) => JSON.stringify(value)).join(" | ");
  const parts = at.oneOf || at.anyOf;
  if (parts) return parts.map((part) => shape(api, part, deep)).join(" | ");
  const types = [].concat(at.type || "any");
  if (types.includes("array") && at.items) return "[" + shape(api, at.items, deep + 1) + "]";
  if (at.properties && deep < 4) {
    const pad = "  ".repeat(deep + 1);
    const needed = at.required || [];
    const fields = Object.entries(at.properties).map(([name, field]) => {
      const words = (field.description || (resolved(api, field) || {}).description || "").split("\n")[0];
      const type = shape(api, field, deep + 1);
      return pad + name + (needed.includes(name) ? "" : "?") + ": " + type + (words ? "   // " + words : "");
    });
    return "{\n" + fields.join("\n") + "\n" + "  ".repeat(deep) + "}";
  }
  return types.join(" | ");
}

function fields(api, operation) {
  const list = make("dl");
  for (const given of operation.parameters || []) {
    const one = resolved(api, given);
    const name = make("dt", "", make("code", one.name), ` in ${one.in}${one.required ? ", required" : ""}`);
    list.append(name, make("dd", `${shape(api, one.schema)} ${one.description || ""}`));
  }
  return list.childElementCount ? list : null;
}

function answers(api, operation) {
  const list = make("dl");
  for (const [status, given] of Object.entries(operation.responses)) {
    const one = resolved(api, given);
    const content = one.content && one.content["application/json"];
    const body = content && make("pre", shape(api, content.schema));
    list.append(make("dt", "", make("code", status), " " + one.description), make("dd", "", body));
  }
  return list;
}

function card(api, path, method, operation) {
  const verb = make("span", method.toUpperCase());
  verb.className = "method " + method;
  const summary = make("summary", "", verb, make("code", path), make("p", operation.summary));
  const request = operation.requestBody && operation.requestBody.content["application/json"];
  return make("details", "", summary, make("p", operation.description), fields(api, operation),
    request && make("h4", "Body"), request && make("pre", shape(api, request.schema)),
    make("h4", "Answers"), answers(api, operation));
}

function show(api) {
  main.replaceChildren(make("p", `${api.info.title} ${api.info.version}, below ${api.servers[0].url}`));
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of ["get", "post", "patch", "delete"].filter((name) => methods[name])) {
      const topic = (methods[method].tags || ["other"])[0];
      if (!groups.has(topic)) groups.set(topic, []);
      groups.get(topic).push(card(api, path, method, methods[method]));
    }
  }
  for (const [topic, cards] of groups) main.append(make("section", "", make("h2", topic), ...cards));
}

async function load() {
  const token = document.getElementById("token").value.trim();
  const headers = token ? { Authorization: "Bearer " + token } : {};
  try {
    const response = await fetch("/openapi.json", { headers });
    const body = await response.json();
    said.textContent = response.ok ? "" : body.detail;
    if (response.ok) show(body);
  } catch (error) {
    said.textContent = String(error);
  }
}

document.getElementById("open").addEventListener("submit", (event) => { event.preventDefault(); load(); });
load();
