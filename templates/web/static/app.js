"use strict";
// What pages do beyond links and forms. Everything works without it.

// A menu closes when something else is clicked, and on Escape.
document.addEventListener("click", (e) => {
  for (const m of document.querySelectorAll("details.menu[open]")) {
    if (!m.contains(e.target)) m.open = false;
  }
});
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  for (const m of document.querySelectorAll("details.menu[open]")) {
    m.open = false;
    m.querySelector("summary").focus();
  }
});

// A file that is done leads to its answer.
document.addEventListener("htmx:sseMessage", (e) => {
  const go = e.target.querySelector && e.target.querySelector("a[data-go]");
  if (go) location.replace(go.href);
});

// Files can be dropped anywhere on a page with a form for them; how much is sent
// is shown. Without this the form sends them as any other.
const drop = document.getElementById("drop");
if (drop) {
  const input = drop.querySelector("input[type=file]");
  drop.querySelector("button").hidden = true; // choosing is sending
  let deep = 0;
  const holds = (e) => e.dataTransfer && Array.from(e.dataTransfer.types).includes("Files");
  addEventListener("dragenter", (e) => {
    if (!holds(e)) return;
    e.preventDefault();
    deep++;
    drop.classList.add("over");
  });
  addEventListener("dragover", (e) => {
    if (holds(e)) e.preventDefault();
  });
  addEventListener("dragleave", (e) => {
    if (holds(e) && --deep <= 0) {
      deep = 0;
      drop.classList.remove("over");
    }
  });
  addEventListener("drop", (e) => {
    if (!holds(e)) return;
    e.preventDefault();
    deep = 0;
    drop.classList.remove("over");
    send(drop, Array.from(e.dataTransfer.files));
  });
  drop.addEventListener("submit", (e) => {
    e.preventDefault();
    send(drop, Array.from(input.files));
  });
  input.addEventListener("change", () => {
    if (input.files.length > 0) send(drop, Array.from(input.files));
  });
}

function say(text) {
  const notice = document.getElementById("notice");
  const box = document.createElement("div");
  box.className = "notice bad";
  box.setAttribute("role", "alert");
  box.textContent = text;
  notice.replaceChildren(box);
  notice.scrollIntoView({ block: "nearest" });
}

function send(form, files) {
  if (files.length === 0) return say(form.dataset.none);
  if (files.some((f) => f.size > Number(form.dataset.max))) return say(form.dataset.large);
  const body = new FormData();
  body.append("csrf", form.elements.csrf.value); // first, so that it is looked at first
  for (const f of files) body.append("file", f, f.name);

  const panel = document.getElementById("sending");
  const bar = document.getElementById("sending-bar");
  const part = document.getElementById("sending-part");
  document.getElementById("sending-name").textContent = files.map((f) => f.name).join(", ");
  document.getElementById("notice").replaceChildren();
  bar.value = 0;
  panel.hidden = false;
  form.hidden = true;

  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (e) => {
    if (!e.lengthComputable) return;
    bar.value = e.loaded / e.total;
    part.textContent = Math.floor((100 * e.loaded) / e.total) + " %";
  });
  const failed = (text) => {
    panel.hidden = true;
    form.hidden = false;
    form.reset();
    say(text || form.dataset.broken);
  };
  request.addEventListener("load", () => {
    if (request.status !== 200) return failed(request.responseText.trim());
    location.assign(JSON.parse(request.responseText).to);
  });
  request.addEventListener("error", () => failed());
  request.addEventListener("abort", () => failed());
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.send(body);
}
