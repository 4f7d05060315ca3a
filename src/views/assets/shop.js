// Everything here makes a working page quicker; nothing needs it.
const one = (selector, within = document) => within.querySelector(selector);

// The theme: the system's until somebody chooses.
const themeSwitch = one("[data-theme-switch]");
if (themeSwitch) {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => themeSwitch.setAttribute("aria-pressed", String(isDark()));
  themeSwitch.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* kept for this page */ }
    show();
  });
  system.addEventListener("change", show);
  show();
}

// Menu and filter sheet close by Escape, the menu also by a press elsewhere. Beside the list the
// filters are no sheet and stay.
const beside = matchMedia("(min-width: 60rem)");
for (const details of document.querySelectorAll("[data-menu], [data-sheet]")) {
  const isMenu = details.matches("[data-menu]");
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open || (!isMenu && beside.matches)) return;
    details.open = false;
    one("summary", details).focus();
  });
  if (isMenu) document.addEventListener("click", (event) => {
    if (!details.contains(event.target)) details.open = false;
  });
}

// Suggestions while typing: a combobox over a list that the server renders.
const search = one("[data-search]");
if (search) {
  const field = one("input[type=search]", search);
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  search.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) {
    field.setAttribute(name, value);
  }
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  search.append(status);

  let timer = 0;
  let asking = null;
  let shown = "";
  let active = -1;
  const options = () => list.querySelectorAll("[role=option]");
  const open = (yes) => {
    list.hidden = !yes;
    field.setAttribute("aria-expanded", String(yes));
    if (!yes) choose(-1);
  };
  const choose = (index) => {
    const all = options();
    active = all.length && index >= 0 ? index % all.length : -1;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    if (active < 0) { field.removeAttribute("aria-activedescendant"); return; }
    field.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  };
  const mark = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    for (const name of list.querySelectorAll(".suggestion-name")) {
      const parts = name.textContent.split(/(\s+)/).map((part) => {
        const word = words.find((w) => part.toLowerCase().startsWith(w));
        if (!word) return part;
        const strong = document.createElement("mark");
        strong.textContent = part.slice(0, word.length);
        return [strong, part.slice(word.length)];
      });
      name.replaceChildren(...parts.flat());
    }
  };
  const ask = async () => {
    const text = field.value.trim();
    if (text.length < 2) { shown = ""; open(false); return; }
    if (text === shown) { open(options().length > 0); return; }
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(`/search/suggest?q=${encodeURIComponent(text)}`, { signal: asking.signal, headers: { accept: "text/html" } });
      if (!answer.ok) { open(false); return; }
      list.innerHTML = await answer.text();
      shown = text;
      options().forEach((option, i) => { option.id = `suggestion-${i}`; });
      mark(text);
      const count = options().length;
      status.textContent = count === 1 ? "1 suggestion" : `${count} suggestions`;
      open(count > 0 && document.activeElement === field);
    } catch { /* a newer question took its place, or we are offline: the form still works */ }
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  field.addEventListener("focus", () => { if (shown) ask(); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { open(false); event.preventDefault(); }
    if (list.hidden) return;
    const count = options().length;
    if (event.key === "ArrowDown") { choose(active + 1); event.preventDefault(); }
    if (event.key === "ArrowUp") { choose(active < 0 ? count - 1 : active - 1); event.preventDefault(); }
    if (event.key === "Enter" && active >= 0) { options()[active].click(); event.preventDefault(); }
  });
  search.addEventListener("focusout", (event) => { if (!search.contains(event.relatedTarget)) open(false); });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  search.addEventListener("submit", (event) => { if (!field.value.trim()) { event.preventDefault(); field.focus(); } });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    field.focus();
  });
}

// Filters: a change is a new address. Beside the list it acts at once; in the sheet one chooses
// several and then asks for the results.
const facets = one("[data-facets]");
if (facets) {
  const sheet = one("[data-sheet]", facets);
  const place = () => { sheet.open = beside.matches; };
  beside.addEventListener("change", place);
  place();
  facets.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = new URLSearchParams();
    for (const [name, value] of new FormData(facets)) {
      if (value && !(name === "sort" && value === "relevance")) said.append(name, value);
    }
    location.assign(`${facets.getAttribute("action")}${said.size ? `?${said}` : ""}`);
  });
  facets.addEventListener("change", () => { if (beside.matches) facets.requestSubmit(); });
  one("[data-sort]")?.addEventListener("change", () => facets.requestSubmit());
}

// The next page is appended to this one; the link stays a link for everybody else.
const pager = one("[data-pager]");
const grid = one("[data-grid]");
if (pager && grid) {
  const link = one("[data-next]", pager);
  link.textContent = "Load more";
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || link.getAttribute("aria-busy")) return;
    event.preventDefault();
    link.setAttribute("aria-busy", "true");
    link.textContent = "Loading…";
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const more = [...page.querySelectorAll("[data-grid] > li")];
      grid.append(...more);
      one("a", more[0])?.focus({ preventScroll: true });
      const next = one("[data-next]", page);
      if (!next) { pager.remove(); return; }
      link.href = next.getAttribute("href");
      link.textContent = "Load more";
    } catch {
      location.assign(link.href);
    } finally {
      link.removeAttribute("aria-busy");
    }
  });
}

// A product's page is the same for everybody who isn't signed in; what the product costs whoever
// looks, and from which quantity on it costs less, is asked for beside it.
const buying = one(".buy [data-add]");
const priceShown = one(".buy [data-live=price]");
if (buying && priceShown && !("own" in priceShown.dataset)) {
  const own = async () => {
    const answer = await fetch(`/api/v1/products/${encodeURIComponent(buying.elements.sku.value)}/price`);
    if (!answer.ok) return;
    const { unit_price: price, unit, tiers } = await answer.json();
    const text = priceShown.firstChild;
    if (price && text.nodeValue.trim() !== price.formatted) text.nodeValue = `${price.formatted} `;
    const more = tiers.filter((tier) => Number(tier.from) > 1);
    if (more.length === 0) return;
    const line = document.createElement("p");
    line.className = "muted";
    line.textContent = more.map((tier) => `From ${tier.from}: ${tier.price.formatted} per ${unit}`).join(" · ");
    priceShown.after(line);
  };
  own().catch(() => { /* the page's price stands, and the cart says what it costs */ });
}

// The cart's count, and whether somebody is signed in, stand beside pages that are the same for
// everybody. They are asked for now and then, told to other windows, and known at once on pages
// that are one's own.
const cartLink = one("[data-cart]");
if (cartLink) {
  const badge = one("[data-cart-count]", cartLink);
  const account = one("[data-account]");
  const show = (lines, signedIn) => {
    if (account && typeof signedIn === "boolean") {
      one("[data-account-word]", account).textContent = signedIn ? "Account" : "Sign in";
    }
    badge.textContent = lines > 999 ? "999+" : String(lines);
    badge.hidden = lines === 0;
  };
  const keep = (lines, signedIn = kept()?.signedIn) => {
    show(lines, signedIn);
    try { localStorage.setItem("cart", JSON.stringify({ lines, signedIn, at: Date.now() })); } catch { /* asked for again */ }
  };
  const kept = () => {
    try { return JSON.parse(localStorage.getItem("cart")); } catch { return null; }
  };
  const ask = async () => {
    try {
      const answer = await fetch("/cart/summary", { headers: { accept: "application/json" } });
      if (!answer.ok) return;
      const said = await answer.json();
      keep(said.lines, said.signed_in);
    } catch { /* offline: the link still works */ }
  };
  const here = one("[data-cart-lines]");
  const known = kept();
  const told = account?.dataset.account;
  const signedIn = told ? told === "true" : known?.signedIn;
  if (here) keep(Number(here.dataset.cartLines), signedIn);
  else if (badge.textContent) keep(Number(badge.textContent), signedIn);
  else {
    if (known) show(known.lines, known.signedIn);
    // A page that is reached by ordering the cart says so.
    if (!known || one("[data-cart-changed]") || Date.now() - known.at > 30000) ask();
  }
  addEventListener("storage", (event) => { if (event.key === "cart") { const other = kept(); if (other) show(other.lines, other.signedIn); } });
  addEventListener("pageshow", (event) => { if (event.persisted) ask(); });

  // Cards may come later than this script, so the document listens.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-add]")) return;
    event.preventDefault();
    if (form.getAttribute("aria-busy")) return;
    const told = one("[data-told]", form);
    form.setAttribute("aria-busy", "true");
    told.textContent = "";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" } });
      const said = await answer.json();
      if (answer.ok) keep(said.lines);
      told.classList.toggle("add-failed", !answer.ok);
      told.textContent = said.told;
    } catch {
      form.submit();
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}
