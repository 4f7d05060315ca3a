// Lists what /openapi.json describes and sends requests from this page. A token stays in this
// page's memory and goes nowhere but to this shop.
const place = document.querySelector("[data-api]");
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
};
let count = 0;
const methods = ["get", "post", "put", "patch", "delete"];

const start = async () => {
  let api;
  try {
    const answer = await fetch(place.dataset.api, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`it was answered with ${answer.status}`);
    api = await answer.json();
  } catch (error) {
    place.replaceChildren(make("p", { class: "notice", role: "alert" }, `The description can't be read: ${error.message}. Load the page again in a moment.`));
    return;
  }
  // A reference is followed inside the document; a loop in it ends after a few steps.
  const follow = (value, steps = 8) => {
    if (!value?.$ref || !steps) return value ?? {};
    const found = value.$ref.replace(/^#\//, "").split("/").reduce((at, key) => at?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], api);
    return follow(found, steps - 1);
  };
  const kind = (schema) => {
    const whole = follow(schema);
    const one = whole.oneOf ?? whole.anyOf ?? whole.allOf;
    const plain = one ? follow(one.find((s) => follow(s).type !== "null")) : whole;
    const types = [plain.type ?? whole.type].flat().filter((t) => t && t !== "null");
    return { ...plain, type: types[0] ?? "string", description: whole.description ?? plain.description, default: whole.default ?? plain.default };
  };

  const token = make("input", { id: "docs-token", type: "password", autocomplete: "off", spellcheck: "false" });
  const operations = [];
  for (const [path, item] of Object.entries(api.paths ?? {})) {
    for (const method of methods) if (item[method]) operations.push({ path, method, shared: item.parameters ?? [], ...item[method] });
  }
  const tags = new Map((api.tags ?? []).map((tag) => [tag.name, { about: tag.description, all: [] }]));
  for (const operation of operations) {
    const tag = operation.tags?.[0] ?? "Other";
    if (!tags.has(tag)) tags.set(tag, { all: [] });
    tags.get(tag).all.push(operation);
  }

  const field = (name, schema, parameter) => {
    const id = `docs-field-${count++}`;
    const what = kind(schema);
    const values = what.enum ?? (what.type === "boolean" ? ["true", "false"] : undefined);
    let input;
    if (values) {
      input = make("select", { id }, make("option", { value: "" }, parameter.required ? "choose" : "not set"), ...values.filter((v) => v !== null).map((value) => make("option", { value }, String(value))));
    } else if (what.type === "array") {
      input = make("textarea", { id, rows: 2 });
    } else {
      const number = what.type === "integer" || what.type === "number";
      input = make("input", { id, inputmode: number ? "numeric" : undefined, autocomplete: "off", placeholder: what.default ?? undefined });
    }
    if (parameter.required) input.required = true;
    const example = parameter.example ?? what.example ?? what.examples?.[0];
    if (parameter.required && example !== undefined) input.value = example;
    const help = [parameter.description ?? what.description, what.type === "array" ? "One a line." : ""].filter(Boolean).join(" ");
    const label = make("label", { for: id }, `${name}${parameter.required ? "" : " (optional)"}`);
    if (help) input.setAttribute("aria-describedby", `${id}-help`);
    const box = make("div", { class: "docs-field" }, label, input, help ? make("small", { id: `${id}-help` }, help) : "");
    return { box, input, isList: what.type === "array" };
  };

  const operationView = (operation) => {
    const parameters = [...operation.shared, ...(operation.parameters ?? [])].map((p) => follow(p));
    const fields = parameters.map((p) => ({ p, ...field(p.name, p.schema, p) }));
    const content = Object.entries(follow(operation.requestBody).content ?? {})[0];
    let body;
    if (content) {
      body = field(`Body (${content[0]})`, { type: "array" }, { required: follow(operation.requestBody).required, description: " " });
      const sample = content[1].example ?? Object.values(content[1].examples ?? {})[0]?.value;
      if (sample !== undefined) body.input.value = typeof sample === "string" ? sample : JSON.stringify(sample, null, 2);
      body.box.querySelector("small")?.remove();
      body.input.removeAttribute("aria-describedby");
    }
    const send = make("button", { class: "button button-main", type: "submit" }, "Send");
    const status = make("p", { class: "docs-status", role: "status" });
    const curl = make("pre", { class: "docs-curl", tabindex: 0, "aria-label": "As a command", hidden: true });
    const answer = make("pre", { class: "docs-answer", tabindex: 0, "aria-label": "Answer", hidden: true });
    const form = make("form", { class: "docs-body", "aria-label": `${operation.method.toUpperCase()} ${operation.path}` },
      operation.description ? make("p", { class: "muted" }, operation.description) : "",
      make("div", { class: "docs-fields" }, ...fields.map((f) => f.box), body ? body.box : ""),
      make("ul", { class: "docs-answers" }, ...Object.entries(operation.responses ?? {}).map(([code, r]) => make("li", {}, make("strong", { class: "figure" }, code), ` ${follow(r).description ?? ""}`))),
      make("p", {}, send), status, curl, answer);

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      let path = operation.path;
      const query = new URLSearchParams();
      const headers = {};
      for (const { p, input, isList } of fields) {
        const values = (isList ? input.value.split("\n") : [input.value]).map((v) => v.trim()).filter(Boolean);
        if (p.in === "path") path = path.replace(`{${p.name}}`, encodeURIComponent(values[0] ?? ""));
        for (const value of values) {
          if (p.in === "query") query.append(p.name, value);
          if (p.in === "header") headers[p.name] = value;
        }
      }
      if (token.value) headers.authorization = `Bearer ${token.value}`;
      if (body?.input.value) headers["content-type"] = content[0];
      const url = `${path}${query.size ? `?${query}` : ""}`;
      const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
      const lines = [`curl${operation.method === "get" ? "" : ` -X ${operation.method.toUpperCase()}`} ${quote(location.origin + url)}`];
      for (const [name, value] of Object.entries(headers)) lines.push(`-H ${quote(`${name}: ${name === "authorization" ? "Bearer TOKEN" : value}`)}`);
      if (body?.input.value) lines.push(`--data-binary ${quote(body.input.value)}`);
      curl.textContent = lines.join(" \\\n  ");
      curl.hidden = false;
      answer.hidden = true;
      status.textContent = "Asking…";
      const began = performance.now();
      try {
        const reply = await fetch(url, { method: operation.method.toUpperCase(), headers, body: body?.input.value || undefined });
        const text = await reply.text();
        status.textContent = `${reply.status} ${reply.statusText} in ${Math.round(performance.now() - began)} ms`;
        let shown = text;
        try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it came */ }
        const head = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
        answer.textContent = `${head}\n\n${shown.length > 200000 ? `${shown.slice(0, 200000)}…` : shown}`;
        answer.hidden = false;
      } catch (error) {
        status.textContent = `No answer: ${error.message}`;
      }
    });
    return make("details", { class: "docs-operation", id: operation.operationId },
      make("summary", {}, make("span", { class: "docs-method" }, operation.method.toUpperCase()), make("span", { class: "docs-path" }, operation.path), make("span", { class: "muted" }, operation.summary ?? "")),
      form);
  };

  const sections = [...tags].filter(([, tag]) => tag.all.length).map(([name, tag]) =>
    make("section", {}, make("h2", { class: "docs-tag" }, name), tag.about ? make("p", { class: "muted" }, tag.about) : "", ...tag.all.map(operationView)));
  const needsToken = JSON.stringify(api).includes('"security"');
  const tokenBox = make("div", { class: "docs-token docs-field", hidden: !needsToken },
    make("label", { for: "docs-token" }, "Token for what isn't public"), token, make("small", {}, "Kept in this page only, gone when you leave it."));
  place.replaceChildren(tokenBox, ...sections);
  const asked = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (asked) { asked.open = true; asked.scrollIntoView(); }
};
if (place) start();
