// What plain forms can't do by themselves. Everything works without it.
(() => {
  "use strict";
  // The dock repeats the next step where its panel has scrolled away.
  const dock = document.querySelector("[data-dock-for]");
  const panel = dock && document.getElementById(dock.dataset.dockFor);
  if (panel && "IntersectionObserver" in window) {
    dock.hidden = true;
    new IntersectionObserver((seen) => { dock.hidden = seen[0].isIntersecting; }).observe(panel);
  }
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details.older")) one.open = true;
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  // One tick for all rows of a list; shown where there is a script, also in a list that was fetched anew.
  document.documentElement.classList.add("scripted");
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-all]");
    if (!all) return;
    for (const one of document.getElementsByName(all.dataset.all)) one.checked = event.target.checked;
  });
  // "/" searches, j and k walk a list, x ticks, or opens where there is nothing to tick; off where the reader says so.
  const keys = document.body.dataset.keys !== "off";
  document.addEventListener("keydown", (event) => {
    if (!keys || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "/") {
      const field = document.querySelector("input[data-search]"), page = document.querySelector("a[data-search]");
      if (field || page) event.preventDefault();
      if (field) field.focus(); else if (page) location = page.href;
      return;
    }
    const list = [...document.querySelectorAll("[data-walk]")];
    if (!list.length || !"jkx".includes(event.key)) return;
    const at = list.indexOf(document.activeElement);
    if (event.key === "x") {
      if (at < 0) return;
      const row = list[at].closest("tr, li"), tick = row && row.querySelector("input[type=checkbox]");
      (tick || list[at]).click();
      return;
    }
    const to = event.key === "j" ? Math.min(at + 1, list.length - 1) : Math.max(at - 1, 0);
    list[to].focus();
  });
  // Canned phrases: a button for each in place of the list that a browser without script shows.
  for (const list of document.querySelectorAll("[data-phrases]")) {
    const field = document.getElementById(list.dataset.phrases);
    const row = document.createElement("div");
    row.className = "phrases";
    for (const option of list.querySelectorAll("option")) {
      const text = option.hasAttribute("value") ? option.value : option.textContent;
      if (!text) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "chip";
      button.textContent = text;
      button.addEventListener("click", () => {
        if (field.tagName === "INPUT") field.value = text;
        else if (!field.value.includes(text)) field.value = field.value.trim() ? field.value.trimEnd() + "\n" + text : text;
        field.focus();
      });
      row.append(button);
    }
    field.after(row);
    if (list.tagName === "DATALIST") field.removeAttribute("list");
    list.remove();
  }
  // More than one request may carry is said before it is sent: nothing typed is lost on the way.
  document.addEventListener("change", (event) => {
    const most = Number(event.target.dataset && event.target.dataset.most);
    if (!most) return;
    let size = 0;
    for (const input of event.target.form.querySelectorAll("input[type=file]")) {
      for (const file of input.files) size += file.size;
    }
    event.target.parentNode.querySelector("[data-toomuch]").hidden = size <= most;
    event.target.setCustomValidity(size <= most ? "" : "-");
  });
  document.addEventListener("submit", (event) => {
    const heavy = event.target.querySelector("input[type=file]:invalid");
    if (heavy) { event.preventDefault(); heavy.focus(); }
  });
  // What is being written is kept every few seconds, and when the page is left; sealed, and for the same member alone.
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const told = form.querySelector("[data-kept]");
    let changed = false, timer = 0;
    const keep = async () => {
      clearTimeout(timer);
      timer = 0;
      if (!changed) return;
      changed = false;
      const body = new URLSearchParams([...new FormData(form)].filter((pair) => typeof pair[1] === "string"));
      try {
        const answer = await fetch(form.dataset.keep, { method: "POST", body, keepalive: document.hidden });
        const kept = answer.ok && !answer.redirected ? await answer.text() : "";
        told.textContent = kept || told.dataset.lost;
      } catch {
        changed = true;
        told.textContent = told.dataset.lost;
      }
    };
    form.addEventListener("input", () => { changed = true; timer = timer || setTimeout(keep, 5000); });
    document.addEventListener("visibilitychange", () => { if (document.hidden) keep(); });
    form.addEventListener("submit", () => { changed = false; clearTimeout(timer); });
  }
  // On a telephone the present step may lie beyond the edge.
  const step = document.querySelector(".stepper [aria-current]");
  if (step) step.parentNode.scrollLeft = step.offsetLeft - (step.parentNode.clientWidth - step.offsetWidth) / 2;
  // What was done is said once, not again whenever the page is loaded anew.
  if (document.querySelector("[data-once]")) history.replaceState(history.state, "", location.pathname);
  // A red frame appears once a form was sent: take the reader there.
  const summary = document.querySelector(".errsum");
  if (summary) summary.focus();
})();
